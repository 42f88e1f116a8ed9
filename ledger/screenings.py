"""筛查: the ledger's side of the privacy gate. Every verb that takes words from people passes them through here."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ledger.acts import Actor
from ledger.database import Session
from ledger.tables import privacy_exception, screening
from policy_models.errors import Finding, NotFound, PrivacyBlocked, ReasonMissing
from policy_models.privacy import redact, screen

TOLD = 5  # findings told in one sentence
_KEY = secrets.token_bytes(32)


def require_clean(words: Iterable[tuple[str, str | None]]) -> None:
    """Raise PrivacyBlocked for the first text that holds what blocks. ``words``: (where it stands, the text)."""
    for place, text in words:
        stopping = [finding for finding in screen(text or "") if finding.blocks]
        if stopping:
            raise PrivacyBlocked(sentence(place, stopping), stopping, place=place, sha256=_mark(text or ""))


def sentence(place: str, findings: Sequence[Finding]) -> str:
    """``“备注”中有疑似公民身份号码（150***********12）……``: what was met, masked, and what to do."""
    told = list(dict.fromkeys(f"{finding.why}（{finding.sample}）" for finding in findings))
    more = f"等{len(told)}处个人信息" if len(told) > TOLD else ""
    return f"“{place}”中有{'、'.join(told[:TOLD])}{more}，不能提交。系统只记数量，请删去个人信息后再试"


def record(
    session: Session, place: str, outcome: str, findings: Sequence[Finding], *, sha256: str, by_unit: str, now: datetime
) -> None:
    """Note what the gate met: kinds and masked samples. ``outcome``: blocked, warned or allowed."""
    told = [{"kind": one.kind, "sample": one.sample} for one in findings]
    session.execute(
        insert(screening).values(
            sha256=sha256,
            place=redact(place)[:80],
            outcome=outcome,
            findings=json.dumps(told, ensure_ascii=False),
            by_unit=by_unit,
            at=now,
        )
    )


def is_excepted(session: Session, sha256: str) -> bool:
    """Whether a named reviewer has let this content in, with a reason."""
    return (
        session.execute(select(privacy_exception.c.id).where(privacy_exception.c.sha256 == sha256)).first() is not None
    )


def allow(session: Session, sha256: str, *, by: Actor, reason: str, now: datetime) -> None:
    """Let this content of a file in from now on: a named person's decision, with a reason. Twice is once: the first
    decision stands.

    Raises ReasonMissing without reason or name, PrivacyBlocked where these words name a child themselves, NotFound
    for a content that was never stopped.
    """
    if not by.name.strip() or not by.unit:
        raise ReasonMissing("例外放行须由具名人员决定，请填写放行人姓名")
    if not reason.strip():
        raise ReasonMissing("例外放行须写明理由")
    require_clean([("放行理由", reason), ("放行人", by.name)])
    stopped = select(screening.c.id).where(screening.c.sha256 == sha256, screening.c.outcome == "blocked")
    if session.execute(stopped.limit(1)).first() is None:
        raise NotFound("没有这份被筛查拦下的文件，可能地址不完整")
    values = {"by_unit": by.unit, "by_name": by.name.strip()[:80], "reason": reason.strip(), "at": now}
    try:
        with session.begin_nested():
            session.execute(insert(privacy_exception).values(sha256=sha256, **values))
    except IntegrityError:
        if not is_excepted(session, sha256):
            raise


def _mark(text: str) -> str:
    """What tells one stopped text from another: keyed, since a telephone number is soon guessed from a plain digest.
    The key lives as long as the process; no exception is ever made for a text."""
    return hmac.new(_KEY, text.encode("utf-8", "replace"), "sha256").hexdigest()
