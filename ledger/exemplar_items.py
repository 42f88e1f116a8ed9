"""The work item that exemplars answer: a unit that hands one in, or says 本期无, is never asked a second time.

The item (of a requirement that collects exemplars, for the unit and the half-year) follows the exemplars until it is
reviewed. The first one handed in submits it, with the number and the titles; each further one withdraws it and submits
it again with the new number, so that the history shows both, and on time stays judged by the first; the last one
withdrawn withdraws it too; when the last one is sent back, so is the item. Once it is accepted or waived it stays as it
is, and exemplars go on without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from ledger import plans, reviews, submissions
from ledger.acts import Actor, Standing, standing
from ledger.database import Session
from ledger.tables import evidence, exemplar, requirement, work_item
from policy_models.errors import ActNotAllowed, NotResponsible, ReasonMissing
from policy_models.evidence import Evidence, missing
from policy_models.exemplars import SENT
from policy_models.lifecycle import OWED, State
from policy_models.plan import Collects, EvidenceRule, EvidenceType
from policy_models.spans import month_day

TITLES_SHOWN = 40
NOT_ASKED = "方案没有要求您的单位在这一期报送优秀案例，请交由旗县区民政部门或主管部门汇总报送"
WORDS = frozenset({EvidenceType.TEXT, EvidenceType.DOCUMENT, EvidenceType.LINK})


def item_of(session: Session, plan_id: int, unit: str, round_code: str) -> Standing:
    """The item that exemplars of this unit and half-year answer. Raises NotResponsible where nothing was asked."""
    key = session.execute(
        select(work_item.c.key)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(
            work_item.c.plan_id == plan_id,
            work_item.c.unit_code == unit,
            work_item.c.period == round_code,
            requirement.c.collects == Collects.EXEMPLARS.value,
            work_item.c.state != State.CANCELLED.value,
        )
        .order_by(work_item.c.id)
        .limit(1)
    ).scalar()
    if key is None:
        raise NotResponsible(NOT_ASKED)
    return standing(session, key)


def require_open(item: Standing) -> None:
    """Raises ActNotAllowed while the item has not begun."""
    if item.state is State.SCHEDULED:
        raise ActNotAllowed(f"本期优秀案例自{item.opens_on.year}年{month_day(item.opens_on)}起报送，草稿可先保存")


def answer_nothing(
    session: Session, plan_id: int, unit: str, round_code: str, *, reason: str, by: Actor, now: datetime
) -> None:
    """Answer 本期无 for a half-year, with the reason.

    Raises ReasonMissing, NotResponsible, PrivacyBlocked, ActNotAllowed (not begun, answered before, exemplars there).
    """
    if not reason.strip():
        raise ReasonMissing("答复“本期无”须写明理由")
    item = item_of(session, plan_id, unit, round_code)
    require_open(item)
    if sent := _titles(session, item, round_code):
        raise ActNotAllowed(f"本期已报送案例 {len(sent)} 篇，不能再答复“本期无”")
    if item.state is State.SUBMITTED:
        raise ActNotAllowed("本期已经答复过，正在待审核")
    answer = Evidence(EvidenceType.NOTHING_NEW, text=reason.strip())
    submissions.submit(session, item.key, by=by, evidence=[answer], now=now)


def follow(session: Session, plan_id: int, unit: str, round_code: str, *, by: Actor, now: datetime) -> None:
    """Bring the item in line with the exemplars that the unit has handed in. Nothing to do once it is reviewed, or
    where the requirement asks for something that exemplars cannot show: then the item stays the unit's own to submit."""
    item = item_of(session, plan_id, unit, round_code)
    titles = _titles(session, item, round_code)
    if item.state is State.SUBMITTED and not titles:
        submissions.withdraw(session, item.key, by=by, now=now, note="优秀案例已撤回")
        return
    if item.state not in OWED | {State.SUBMITTED} or not titles:
        return
    rules = plans.requirement(session, item.plan_code, item.requirement).evidence
    pieces = _evidence(rules, titles)
    if missing(rules, pieces):
        return
    if item.state is State.SUBMITTED:
        if _stands(session, item, pieces):
            return
        submissions.withdraw(session, item.key, by=by, now=now, note=f"优秀案例改为 {len(titles)} 篇，重新报送")
    submissions.submit(session, item.key, by=by, evidence=pieces, now=now, note="随优秀案例自动报送")


def send_back_with(
    session: Session, plan_id: int, unit: str, round_code: str, *, reason: str, by: Actor, now: datetime
) -> None:
    """After an exemplar was sent back: the item goes back too when no other exemplar is left to answer it."""
    item = item_of(session, plan_id, unit, round_code)
    if item.state is State.SUBMITTED and not _titles(session, item, round_code):
        reviews.send_back(session, item.key, by=by, now=now, reason=f"优秀案例已退回：{reason}")


def _titles(session: Session, item: Standing, round_code: str) -> list[str]:
    rows = session.execute(
        select(exemplar.c.title)
        .where(
            exemplar.c.plan_id == item.plan_id,
            exemplar.c.round_code == round_code,
            exemplar.c.unit_code == item.unit,
            exemplar.c.state.in_([state.value for state in SENT]),
        )
        .order_by(exemplar.c.id)
    )
    return [row.title for row in rows]


def _evidence(rules: Sequence[EvidenceRule], titles: Sequence[str]) -> list[Evidence]:
    """What the rules want, told from the exemplars: their number for the first measure, their titles for words."""
    listed = "；".join(f"《{title}》" for title in titles[:TITLES_SHOWN])
    pieces: list[Evidence] = []
    for rule in rules:
        if rule.type is EvidenceType.MEASURE and not any(one.name for one in pieces):
            pieces.append(
                Evidence(rule.type, rule.name, Decimal(len(titles)), Decimal(len(titles)) if rule.of else None)
            )
        elif rule.type in WORDS:
            pieces.append(Evidence(rule.type, text=f"优秀案例：{listed}（全文见“案例”栏目）"))
    return pieces


def _stands(session: Session, item: Standing, pieces: Sequence[Evidence]) -> bool:
    """Whether the submission that waits says the same already."""
    newest = select(func.max(evidence.c.revision)).where(evidence.c.item_id == item.id).scalar_subquery()
    rows = session.execute(
        select(evidence).where(evidence.c.item_id == item.id, evidence.c.revision == newest).order_by(evidence.c.id)
    )
    return [_told(row) for row in rows] == [_told(piece) for piece in pieces]


def _told(piece: Any) -> tuple[str, str | None, Decimal | None, str | None]:
    return str(piece.type), piece.name, None if piece.value is None else Decimal(piece.value).normalize(), piece.text
