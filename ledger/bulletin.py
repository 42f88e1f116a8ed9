"""信息: sent in by units during a year; the coordinator counts each in, for good, or returns it with a reason.

What was counted answers the unit's yearly work item, with one act of the unit: ``report_year``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger import plans, submissions
from ledger.acts import Actor, Standing, standing
from ledger.database import Session
from ledger.screenings import require_clean
from ledger.tables import bulletin_item, plan, requirement, unit, work_item
from policy_models.bulletin import TEXT_LENGTH, TITLE_LENGTH, BulletinState
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Fault,
    Faulty,
    NotFound,
    NotResponsible,
    ReasonMissing,
)
from policy_models.evidence import Evidence
from policy_models.lifecycle import State
from policy_models.plan import Collects, EvidenceRule, EvidenceType

SAME_TITLE = "本单位这一年已有同题信息，请换一个标题，或修改原来那一篇"
CHANGED = "这篇信息刚刚有了变化，请看过最新内容后再操作"
WORDS = frozenset({EvidenceType.TEXT, EvidenceType.DOCUMENT, EvidenceType.LINK})
TITLES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class BulletinItem:
    """One text as it stands. ``year``: the civil year it counts for; ``version``: how often it was sent in."""

    id: int
    plan_id: int
    coordinator: str
    unit: str
    unit_name: str
    year: int
    title: str
    text: str
    state: BulletinState
    version: int
    reason: str | None
    by_name: str
    submitted_at: datetime
    decided_at: datetime | None
    decided_by: str | None


def send(session: Session, plan_code: str, year: int, title: str, text: str, *, by: Actor, now: datetime) -> int:
    """Send one in; its id. The same title and text again (a form sent twice) is the same item.

    Raises Faulty (empty, too long, a year outside the plan), PrivacyBlocked, ActNotAllowed for a title that is taken,
    ChangedMeanwhile.
    """
    title, text = _checked(title, text, by)
    summary = plans.plan_summary(session, plan_code)
    if not summary.starts_on.year <= year <= summary.ends_on.year:
        raise Faulty([Fault("信息", None, "年度", f"须在{summary.starts_on.year}年至{summary.ends_on.year}年之间")])
    mine = (bulletin_item.c.plan_id == summary.id, bulletin_item.c.year == year, bulletin_item.c.unit_code == by.unit)
    there = session.execute(select(bulletin_item).where(*mine, bulletin_item.c.title == title)).first()
    if there:
        if there.text == text:
            return int(there.id)
        raise ActNotAllowed(SAME_TITLE)
    values = {"plan_id": summary.id, "unit_code": by.unit, "year": year, "title": title, "text": text}
    written = insert(bulletin_item).values(**values, by_name=by.name, submitted_at=now)
    try:
        return int(session.execute(written.returning(bulletin_item.c.id)).scalar_one())
    except IntegrityError as error:  # somebody of the unit sent the same one at the same moment
        raise ChangedMeanwhile(SAME_TITLE) from error


def send_again(
    session: Session, item_id: int, title: str, text: str, *, version: int, by: Actor, now: datetime
) -> None:
    """Send a returned one in again, changed; twice is once. Raises as ``send``, NotFound, NotResponsible."""
    title, text = _checked(title, text, by)
    one = bulletin_row(session, item_id)
    if by.unit != one.unit:
        raise NotResponsible("这篇信息由其他单位报送，您的单位不能修改")
    if one.version == version + 1 and (one.title, one.text) == (title, text):
        return
    if one.state is not BulletinState.RETURNED:
        raise ActNotAllowed("只有退回的信息可以修改；需要改动时，请联系统筹单位退回")
    values = {"title": title, "text": text, "state": BulletinState.SUBMITTED.value, "version": version + 1}
    values |= {"by_name": by.name, "submitted_at": now, "decided_at": None, "decided_by": None}
    try:
        with session.begin_nested():
            _change(session, one, version, values)
    except IntegrityError as error:
        raise ActNotAllowed(SAME_TITLE) from error


def count_in(session: Session, item_id: int, *, version: int, by: Actor, now: datetime) -> None:
    """Count it for the unit's year, for good. Raises NotFound, NotResponsible, ActNotAllowed, ChangedMeanwhile."""
    values = {"state": BulletinState.COUNTED.value, "reason": None, "decided_at": now, "decided_by": by.name}
    _change(session, _waiting(session, item_id, by), version, values)


def send_back(session: Session, item_id: int, *, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Return it with a reason. Raises ReasonMissing, PrivacyBlocked, and as ``count_in``."""
    if not reason.strip():
        raise ReasonMissing("退回须写明理由")
    require_clean([("退回意见", reason), ("经办人", by.name)])
    values = {"state": BulletinState.RETURNED.value, "reason": reason, "decided_at": now, "decided_by": by.name}
    _change(session, _waiting(session, item_id, by), version, values)


def counted(session: Session, plan_id: int, year: int, *, until: datetime) -> Mapping[str, int]:
    """How many each unit had counted for a civil year before the UTC instant ``until``; units without any are not in
    it. What is counted stays so: the same moment always gives the same. One statement."""
    rows = session.execute(
        select(bulletin_item.c.unit_code, func.count().label("n"))
        .where(bulletin_item.c.plan_id == plan_id, bulletin_item.c.year == year)
        .where(bulletin_item.c.state == BulletinState.COUNTED.value, bulletin_item.c.decided_at < until)
        .group_by(bulletin_item.c.unit_code)
    )
    return {row.unit_code: int(row.n) for row in rows}


def asked(session: Session, plan_id: int, unit_code: str, year: int) -> Standing | None:
    """The yearly work item that counted items answer; None where the unit is asked for none."""
    key = session.execute(
        select(work_item.c.key)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
        .where(work_item.c.plan_id == plan_id, work_item.c.unit_code == unit_code, work_item.c.period == str(year))
        .where(requirement.c.collects == Collects.BULLETIN.value, work_item.c.state != State.CANCELLED.value)
        .order_by(work_item.c.id)
        .limit(1)
    ).scalar()
    return standing(session, key) if key else None


def report_year(session: Session, plan_id: int, year: int, *, by: Actor, now: datetime) -> int:
    """Hand in the unit's yearly work item with what was counted; how many that are.

    Raises NotFound, EvidenceMissing where nothing is counted yet, ActNotAllowed, ChangedMeanwhile.
    """
    item = asked(session, plan_id, by.unit, year)
    if item is None:
        raise NotFound(f"方案没有要求您的单位报送{year}年度信息")
    titles = [one.title for one in listing(session, plan_id, year, unit_code=by.unit) if one.state == "counted"]
    if not titles:
        raise EvidenceMissing("还没有已计入的信息，请先报送信息，由统筹单位计入后再报送本事项")
    rules = plans.requirement(session, item.plan_code, item.requirement).evidence
    submissions.submit(session, item.key, by=by, evidence=_evidence(rules, titles), now=now)
    return len(titles)


def bulletin_row(session: Session, item_id: int) -> BulletinItem:
    """Raises NotFound."""
    row = session.execute(_chosen().where(bulletin_item.c.id == item_id)).first()
    if row is None:
        raise NotFound("没有这篇信息，地址可能不完整或已失效")
    return _item(row)


def listing(session: Session, plan_id: int, year: int, *, unit_code: str | None = None) -> tuple[BulletinItem, ...]:
    """The items of a year, of one unit or of all, what waits for the coordinator first, then the newest: one statement."""
    chosen = _chosen().where(bulletin_item.c.plan_id == plan_id, bulletin_item.c.year == year)
    if unit_code is not None:
        chosen = chosen.where(bulletin_item.c.unit_code == unit_code)
    waits = bulletin_item.c.state != BulletinState.SUBMITTED.value
    return tuple(map(_item, session.execute(chosen.order_by(waits, bulletin_item.c.id.desc()))))


def _checked(title: str, text: str, by: Actor) -> tuple[str, str]:
    title, text = title.strip(), text.strip()
    faults = [("标题", title, TITLE_LENGTH), ("正文", text, TEXT_LENGTH)]
    wrong = [
        Fault("信息", None, name, f"不超过 {most} 字，现为 {len(words)} 字" if words else f"请填写{name}")
        for name, words, most in faults
        if not words or len(words) > most
    ]
    if wrong:
        raise Faulty(wrong)
    require_clean([("标题", title), ("正文", text), ("经办人", by.name)])
    return title, text


def _waiting(session: Session, item_id: int, by: Actor) -> BulletinItem:
    one = bulletin_row(session, item_id)
    if by.unit != one.coordinator:
        raise NotResponsible("只有统筹单位可以审核信息")
    if one.state is not BulletinState.SUBMITTED:
        raise ActNotAllowed("这篇信息已经审核过")
    return one


def _change(session: Session, one: BulletinItem, version: int, values: dict[str, Any]) -> None:
    still = (bulletin_item.c.id == one.id, bulletin_item.c.state == one.state.value)
    met = session.execute(update(bulletin_item).where(*still, bulletin_item.c.version == version).values(**values))
    if met.rowcount == 0:
        raise ChangedMeanwhile(CHANGED)


def _evidence(rules: tuple[EvidenceRule, ...], titles: list[str]) -> list[Evidence]:
    """What the rules want, told from the counted items: their number for the first measure, their titles for words."""
    measures = [rule for rule in rules if rule.type is EvidenceType.MEASURE][:1]
    listed = "；".join(f"《{title}》" for title in titles[:TITLES_SHOWN])
    pieces = [
        Evidence(rule.type, rule.name, Decimal(len(titles)), Decimal(len(titles)) if rule.of else None)
        for rule in measures
    ]
    for rule in rules:
        if rule.type in WORDS:
            pieces += [Evidence(rule.type, text=f"已计入的信息：{listed}")] * rule.min
    return pieces


def _chosen() -> Any:
    return (
        select(bulletin_item, unit.c.name.label("unit_name"), plan.c.coordinator)
        .join(unit, unit.c.code == bulletin_item.c.unit_code)
        .join(plan, plan.c.id == bulletin_item.c.plan_id)
    )


def _item(row: Any) -> BulletinItem:
    return BulletinItem(
        id=row.id,
        plan_id=row.plan_id,
        coordinator=row.coordinator,
        unit=row.unit_code,
        unit_name=row.unit_name,
        year=row.year,
        title=row.title,
        text=row.text,
        state=BulletinState(row.state),
        version=row.version,
        reason=row.reason,
        by_name=row.by_name,
        submitted_at=row.submitted_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )
