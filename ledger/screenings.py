"""筛查: the ledger's side of the privacy gate. Every verb that takes words from people passes them through here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert, select

from ledger.database import Session
from ledger.tables import privacy_exception, screening
from policy_models.errors import Finding, PrivacyBlocked
from policy_models.privacy import screen


def require_clean(words: Iterable[tuple[str, str | None]]) -> None:
    """Raise PrivacyBlocked for the first text that holds what blocks. ``words``: (where it stands, the text)."""
    for place, text in words:
        stopping = [finding for finding in screen(text or "") if finding.blocks]
        if stopping:
            digest = hashlib.sha256((text or "").encode("utf-8", "replace")).hexdigest()
            raise PrivacyBlocked(sentence(place, stopping), stopping, place=place, sha256=digest)


def sentence(place: str, findings: Sequence[Finding]) -> str:
    """``“备注”中有疑似公民身份号码（150***********12）……``: what was met, masked, and what to do."""
    told = "、".join(dict.fromkeys(f"{finding.why}（{finding.sample}）" for finding in findings))
    return f"“{place}”中有{told}，不能提交。系统只记数量，请删去个人信息后再试"


def record(
    session: Session, place: str, outcome: str, findings: Sequence[Finding], *, sha256: str, by_unit: str, now: datetime
) -> None:
    """Note what the gate met: kinds and masked samples. ``outcome``: blocked, warned or allowed."""
    told = [{"kind": one.kind, "sample": one.sample} for one in findings]
    session.execute(
        insert(screening).values(
            sha256=sha256,
            place=place[:80],
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
