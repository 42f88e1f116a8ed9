"""评审: named reviewers with secret links score exemplars without seeing whose they are.

The link is shown once; the ledger keeps its hash. Scores may be changed until the panel is closed, and are told to the
coordinator once every reviewer has scored everything, or it is closed. Closing is for good. The scores of a reviewer
who was removed do not count, nor do those of a text that was handed in anew since.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger import plans
from ledger.acts import Actor
from ledger.database import Session
from ledger.exemplar_rows import exemplar_row
from ledger.screenings import require_clean
from ledger.tables import panel, panelist, score, unit
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Fault, Faulty, NotFound, NotResponsible
from policy_models.exemplars import SENT
from policy_models.scoring import COMMENT_LENGTH, HIGHEST, LOWEST

TOKEN_BYTES = 24  # 192 bits, 32 characters of the address
NAME_LENGTH = 40
CLOSED = "评审已经结束，不能再评分或调整评审人"
NOT_SETTLED = "评审还在进行。请先结束评审，看过得分再选入"


@dataclass(frozen=True, slots=True)
class Panelist:
    """A reviewer; never the token. ``unit``: whose exemplars this person does not score; None where not given."""

    id: int
    plan_id: int
    round_code: str
    name: str
    unit: str | None
    created_at: datetime
    revoked_at: datetime | None


def appoint(
    session: Session, plan_code: str, round_code: str, name: str, unit_code: str | None, *, by: Actor, now: datetime
) -> str:
    """Name a reviewer for a half-year; the token of the secret link, to be shown once.

    Raises NotResponsible, Faulty (no name, unknown unit), PrivacyBlocked, ActNotAllowed (there already, panel closed),
    ChangedMeanwhile.
    """
    plan_id = _coordinating(session, plan_code, by)
    name = name.strip()
    if not name or len(name) > NAME_LENGTH:
        raise Faulty([Fault("评审人", None, "姓名", f"请填写评审人姓名，不超过 {NAME_LENGTH} 字")])
    if unit_code and session.execute(select(unit.c.code).where(unit.c.code == unit_code)).first() is None:
        raise Faulty([Fault("评审人", None, "所在单位", "没有这个单位，请从列表中选择，或留空")])
    require_clean([("评审人", name)])
    _open(session, plan_id, round_code, now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    mine = (panelist.c.plan_id == plan_id, panelist.c.round_code == round_code, panelist.c.name == name)
    values = {"unit_code": unit_code or None, "hash": _hash(token), "created_at": now, "revoked_at": None}
    again = update(panelist).where(*mine, panelist.c.revoked_at.is_not(None)).values(**values)
    if session.execute(again).rowcount:  # removed before: the same person, with a new link
        return token
    if session.execute(select(panelist.c.id).where(*mine)).first():
        raise ActNotAllowed(f"本期已有评审人“{name}”；链接遗失的，请在其名下重发链接")
    try:
        session.execute(insert(panelist).values(plan_id=plan_id, round_code=round_code, name=name, **values))
    except IntegrityError as error:
        raise ChangedMeanwhile(f"评审人“{name}”刚刚已由他人添加") from error
    return token


def renew(session: Session, panelist_id: int, *, by: Actor) -> str:
    """A new link for a reviewer; the old one is dead. Raises NotFound, NotResponsible, ActNotAllowed."""
    found = _known(session, panelist_id, by)
    _require_running(session, found.plan_id, found.round_code)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    mine = (panelist.c.id == found.id, panelist.c.revoked_at.is_(None))
    if session.execute(update(panelist).where(*mine).values(hash=_hash(token))).rowcount == 0:
        raise ActNotAllowed("这位评审人已停用，请重新添加")
    return token


def revoke(session: Session, panelist_id: int, *, by: Actor, now: datetime) -> None:
    """Remove a reviewer: the link is dead, the scores do not count. Raises NotFound, NotResponsible, ActNotAllowed
    once the panel is closed, ChangedMeanwhile when it was done before."""
    found = _known(session, panelist_id, by)
    _require_running(session, found.plan_id, found.round_code)
    mine = (panelist.c.id == found.id, panelist.c.revoked_at.is_(None))
    if session.execute(update(panelist).where(*mine).values(revoked_at=now)).rowcount == 0:
        raise ChangedMeanwhile("这位评审人此前已停用")


def look_up(session: Session, token: str) -> Panelist | None:
    """The reviewer with this link; None for an unknown or dead one."""
    row = session.execute(
        select(panelist).where(panelist.c.hash == _hash(token), panelist.c.revoked_at.is_(None))
    ).first()
    return _panelist(row) if row else None


def panelist_row(session: Session, panelist_id: int) -> Panelist:
    """Raises NotFound."""
    row = session.execute(select(panelist).where(panelist.c.id == panelist_id)).first()
    if row is None:
        raise NotFound("没有这位评审人，请刷新后再看")
    return _panelist(row)


def give(
    session: Session, scorer: Panelist, exemplar_id: int, points: int, comment: str, *, version: int, now: datetime
) -> None:
    """Score an exemplar, or change the score, until the panel is closed. ``version``: of the text that was read.

    Raises Faulty outside 0 to 100, PrivacyBlocked, NotFound for one that is not this panel's, NotResponsible for one of
    the scorer's own unit, ActNotAllowed once closed, ChangedMeanwhile where the text is another by now.
    """
    if not LOWEST <= points <= HIGHEST:
        raise Faulty([Fault("评分", None, "得分", f"须为 {LOWEST} 至 {HIGHEST} 之间的整数")])
    comment = comment.strip()
    if len(comment) > COMMENT_LENGTH:
        raise Faulty([Fault("评分", None, "评语", f"不超过 {COMMENT_LENGTH} 字")])
    require_clean([("评语", comment)])
    _require_running(session, scorer.plan_id, scorer.round_code)
    one = exemplar_row(session, exemplar_id)
    if (one.plan_id, one.round_code) != (scorer.plan_id, scorer.round_code) or one.state not in SENT:
        raise NotFound("这篇案例不在本次评审之中，可能已被撤回，请刷新后再看")
    if one.unit == scorer.unit:
        raise NotResponsible("不评本单位的案例")
    if one.version != version:
        raise ChangedMeanwhile("报送单位修改了这篇案例，请看过新的内容再评分")
    mine = (score.c.exemplar_id == exemplar_id, score.c.panelist_id == scorer.id)
    values = {"points": points, "comment": comment, "version": version, "at": now}
    if session.execute(update(score).where(*mine).values(**values)).rowcount:
        return
    try:
        session.execute(insert(score).values(exemplar_id=exemplar_id, panelist_id=scorer.id, **values))
    except IntegrityError as error:  # the same form twice at the same moment
        raise ChangedMeanwhile("这篇案例刚刚已评分，请刷新后再看") from error


def close(session: Session, plan_code: str, round_code: str, *, by: Actor, now: datetime) -> None:
    """End the panel for good: nobody scores any more. Raises NotResponsible, ActNotAllowed where there is none,
    ChangedMeanwhile when it is closed."""
    plan_id = _coordinating(session, plan_code, by)
    mine = (panel.c.plan_id == plan_id, panel.c.round_code == round_code)
    if session.execute(select(panel.c.plan_id).where(*mine)).first() is None:
        raise ActNotAllowed("还没有添加评审人")
    ended = {"closed_at": now, "closed_by": by.name}
    if session.execute(update(panel).where(*mine, panel.c.closed_at.is_(None)).values(**ended)).rowcount == 0:
        raise ChangedMeanwhile("评审此前已经结束")


def is_settled(session: Session, plan_id: int, round_code: str) -> bool:
    """Whether exemplars may be picked: the panel is closed, or nobody is to score."""
    at_work = (
        select(panelist.c.id)
        .join(panel, (panel.c.plan_id == panelist.c.plan_id) & (panel.c.round_code == panelist.c.round_code))
        .where(panel.c.plan_id == plan_id, panel.c.round_code == round_code)
        .where(panel.c.closed_at.is_(None), panelist.c.revoked_at.is_(None))
    )
    return session.execute(at_work.limit(1)).first() is None


def require_settled(session: Session, plan_id: int, round_code: str) -> None:
    """Raises ActNotAllowed while reviewers are at work: nobody picks before the scores are final."""
    if not is_settled(session, plan_id, round_code):
        raise ActNotAllowed(NOT_SETTLED)


def _coordinating(session: Session, plan_code: str, by: Actor) -> int:
    summary = plans.plan_summary(session, plan_code)
    if by.unit != summary.coordinator:
        raise NotResponsible("只有统筹单位可以组织评审")
    return summary.id


def _known(session: Session, panelist_id: int, by: Actor) -> Panelist:
    found = panelist_row(session, panelist_id)
    coordinators = {one.id: one.coordinator for one in plans.plans(session)}
    if coordinators[found.plan_id] != by.unit:
        raise NotResponsible("只有统筹单位可以组织评审")
    return found


def _open(session: Session, plan_id: int, round_code: str, now: datetime) -> None:
    there = select(panel.c.closed_at).where(panel.c.plan_id == plan_id, panel.c.round_code == round_code)
    row = session.execute(there).first()
    if row is None:
        try:
            with session.begin_nested():
                session.execute(insert(panel).values(plan_id=plan_id, round_code=round_code, opened_at=now))
        except IntegrityError as error:
            raise ChangedMeanwhile("评审刚刚由他人开始，请重试") from error
        return
    if row.closed_at is not None:
        raise ActNotAllowed(CLOSED)


def _require_running(session: Session, plan_id: int, round_code: str) -> None:
    """Raises ActNotAllowed once the panel is closed; it cannot be closed before this transaction ends."""
    mine = (panel.c.plan_id == plan_id, panel.c.round_code == round_code)
    # shared: reviewers do not wait for each other, only whoever closes waits for them
    row = session.execute(select(panel.c.closed_at).where(*mine).with_for_update(read=True)).first()
    if row is None or row.closed_at is not None:
        raise ActNotAllowed(CLOSED)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _panelist(row: Any) -> Panelist:
    return Panelist(row.id, row.plan_id, row.round_code, row.name, row.unit_code, row.created_at, row.revoked_at)
