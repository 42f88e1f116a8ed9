"""What every act on work items shares: the transition table decides, an entry is appended, the tally follows.

One item: a conditional update, where 0 rows mean that somebody else was first. Many items: the same in sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from ledger import daily, evenings, item_facts, tally
from ledger.act_messages import Acted, Place, tell_act
from ledger.carrying import TAKES_BACK, carry_over
from ledger.civil import civil_date
from ledger.database import Session
from ledger.item_facts import UPPER
from ledger.tables import entry, plan, requirement, unit, work_item
from ledger.telling import tell_returned
from policy_models.act_events import OF_ACT
from policy_models.errors import ChangedMeanwhile, NotFound, ReasonMissing
from policy_models.lifecycle import ACT_NAMES, NEEDS_REASON, TRANSITIONS, Act, State, advance
from policy_models.plan import Level, Review
from policy_models.timing import RED_RETURNS


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a unit's code ("" for the system) and the name shown in the history (an office, never a child)."""

    unit: str
    name: str


SYSTEM = Actor("", "系统")
CHUNK = 500  # items in one statement


@dataclass(frozen=True, slots=True)
class Standing:
    """An item as it stands, with what decides who may act on it."""

    id: int
    key: str
    plan_id: int
    plan_code: str
    requirement_id: int
    requirement: str
    unit: str
    unit_name: str
    superior: str | None
    reviewer: str | None
    coordinator: str
    level: Level
    review: Review
    collects: bool  # of a half-year round: reviewed section by section
    county: str
    place: str
    period: str
    phase: int
    opens_on: date
    deadline: date
    state: State
    revision: int
    returns: int
    catch_up: str
    first_submitted_on: date | None


def standing(session: Session, key: str) -> Standing:
    """The item with this key as it stands now. Raises NotFound."""
    return standings(session, [key])[0]


def standings(session: Session, keys: Sequence[str]) -> list[Standing]:
    """The items with these keys as they stand now, in the order of the keys. Raises NotFound for the first unknown."""
    found: dict[str, Standing] = {}
    for start in range(0, len(keys), CHUNK):
        rows = session.execute(_chosen().where(work_item.c.key.in_(keys[start : start + CHUNK])))
        found |= {row.key: _standing(row) for row in rows}
    for key in keys:
        if key not in found:
            raise NotFound(f"没有编号为 {key} 的办理件")
    return [found[key] for key in keys]


def _chosen() -> Select[Any]:
    return (
        select(
            work_item,
            unit.c.name.label("unit_name"),
            unit.c.superior,
            unit.c.level,
            unit.c.county,
            item_facts.place_of(unit, UPPER).label("place"),
            plan.c.code.label("plan_code"),
            plan.c.coordinator,
            requirement.c.code.label("requirement"),
            requirement.c.review,
            requirement.c.collects,
        )
        .join(unit, unit.c.code == work_item.c.unit_code)
        .outerjoin(UPPER, UPPER.c.code == unit.c.parent)
        .join(plan, plan.c.id == work_item.c.plan_id)
        .join(requirement, requirement.c.id == work_item.c.requirement_id)
    )


def _standing(row: Any) -> Standing:
    return Standing(
        id=row.id,
        key=row.key,
        plan_id=row.plan_id,
        plan_code=row.plan_code,
        requirement_id=row.requirement_id,
        requirement=row.requirement,
        unit=row.unit_code,
        unit_name=row.unit_name,
        superior=row.superior,
        reviewer=(row.superior if row.review == Review.PARENT else None) or row.coordinator,
        coordinator=row.coordinator,
        level=Level(row.level),
        review=Review(row.review),
        collects=bool(row.collects),
        county=row.county,
        place=row.place,
        period=row.period,
        phase=row.phase,
        opens_on=row.opens_on,
        deadline=row.deadline,
        state=State(row.state),
        revision=row.revision,
        returns=row.returns,
        catch_up=row.catch_up,
        first_submitted_on=row.first_submitted_on,
    )


def act_on(
    session: Session, item: Standing, act: Act, *, by: Actor, now: datetime, note: str | None, **facts: Any
) -> int:
    """Do one act on one item that was read as ``item``; the new revision. ``facts`` are columns that change with it.

    A return is told to the unit with it. Raises ActNotAllowed, ReasonMissing, ChangedMeanwhile.
    """
    target = advance(item.state, act)
    if act in NEEDS_REASON and not (note and note.strip()):
        raise ReasonMissing(f"{ACT_NAMES[act]}须写明理由")
    met = session.execute(
        update(work_item)
        .where(work_item.c.id == item.id, work_item.c.state == item.state.value, work_item.c.revision == item.revision)
        .values(state=target.value, revision=item.revision + 1, changed_at=now, **facts)
    )
    if met.rowcount == 0:
        raise ChangedMeanwhile("这一办理件刚刚被他人处理，请刷新后再看")
    session.execute(insert(entry), [_entry(item, act, target, by, now, note)])
    evenings.forget_since(session, now)
    if act in TAKES_BACK:
        carry_over(session, [item.id], by_name=by.name, now=now)
    if act is Act.SEND_BACK:
        tell_returned(session, [item.id], now=now)
    after = {"state": target.value, "returns": item.returns, "first_submitted_on": item.first_submitted_on, **facts}
    tally.record(session, [_fact(item, -1), _fact(item, +1, **after)])
    if act is Act.ACCEPT:
        daily.add(session, work_item.c.id == item.id)
    _tell(session, [item], act, now)
    return item.revision + 1


def place_of(item: Standing) -> Place:
    """Whose act an act on this item is."""
    return Place(item.plan_id, item.plan_code, item.coordinator)


def _tell(session: Session, items: Sequence[Standing], act: Act, now: datetime) -> None:
    """Other systems that listen to this act are told of it, plan by plan."""
    if act not in OF_ACT:
        return
    for place in dict.fromkeys(map(place_of, items)):
        met = [Acted(one.id, one.unit, one.revision + 1) for one in items if one.plan_id == place.plan_id]
        tell_act(session, OF_ACT[act], place, met, now=now)


def _change_each(
    session: Session,
    items: Sequence[Standing],
    act: Act,
    rule: tuple[frozenset[State], State | None],
    by: Actor,
    now: datetime,
    note: str | None,
) -> None:
    sources, target = rule
    assert target is not None, act
    columns: dict[Act, dict[str, Any]] = {
        Act.SUBMIT: {"first_submitted_on": func.coalesce(work_item.c.first_submitted_on, civil_date(now))},
        Act.ACCEPT: {"reviewed_by": by.name, "reviewed_at": now},
        Act.SEND_BACK: {"reason": note, "returns": work_item.c.returns + 1},
        Act.WAIVE: {"reason": note},
    }
    changed = session.execute(
        update(work_item)
        .where(work_item.c.id.in_([item.id for item in items]), work_item.c.state.in_([s.value for s in sources]))
        .values(state=target.value, revision=work_item.c.revision + 1, changed_at=now, **columns.get(act, {}))
        .returning(work_item.c.id, work_item.c.revision)
    )
    met = {row.id: row.revision for row in changed}
    if any(met.get(item.id) != item.revision + 1 for item in items):
        raise ChangedMeanwhile("其中有办理件刚刚被他人处理，请刷新后重试")


def _after(item: Standing, act: Act, now: datetime) -> dict[str, Any]:
    """What an act changes beside the state, as far as the tally counts it."""
    return {
        "returns": item.returns + (act is Act.SEND_BACK),
        "first_submitted_on": item.first_submitted_on or (civil_date(now) if act is Act.SUBMIT else None),
    }


def _entry(item: Standing, act: Act, target: State, by: Actor, now: datetime, note: str | None) -> dict[str, Any]:
    return {
        "item_id": item.id,
        "revision": item.revision + 1,
        "act": act.value,
        "state": target.value,
        "by_unit": by.unit,
        "by_name": by.name,
        "at": now,
        "note": note,
    }


def _fact(item: Standing, n: int, **after: Any) -> dict[str, Any]:
    submitted = after.get("first_submitted_on", item.first_submitted_on)
    deadline = after.get("deadline", item.deadline)
    return {
        "plan_id": item.plan_id,
        "requirement_id": item.requirement_id,
        "period": item.period,
        "phase": item.phase,
        "county": item.county,
        "place": item.place,
        "opens_on": after.get("opens_on", item.opens_on),
        "deadline": deadline,
        "state": after.get("state", item.state.value),
        "late": submitted is not None and submitted > deadline,
        "catch_up": item.catch_up,
        "often_returned": after.get("returns", item.returns) >= RED_RETURNS,
        "n": n,
    }


def act_on_each(
    session: Session,
    items: Sequence[Standing],
    act: Act,
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
    notes: Mapping[int, str | None] | None = None,
) -> None:
    """Do one act on each of these items, read a moment ago; all or none. A few statements for every 500 items.

    For submit, withdraw, accept, send_back and waive. ``notes``: by item id, where an item has a note of its own. A
    return is told to each unit in one message. Raises ActNotAllowed, ReasonMissing, or ChangedMeanwhile when somebody
    acted on one of them first.
    """
    if act in NEEDS_REASON and not (note and note.strip()):
        raise ReasonMissing(f"{ACT_NAMES[act]}须写明理由")
    own = notes or {}
    evenings.forget_since(session, now)
    for start in range(0, len(items), CHUNK):
        chunk = sorted(items[start : start + CHUNK], key=lambda item: item.id)
        target = {item.id: advance(item.state, act) for item in chunk}
        _change_each(session, chunk, act, TRANSITIONS[act], by, now, note)
        after = [{**_after(item, act, now), "state": target[item.id].value} for item in chunk]
        entries = [_entry(item, act, target[item.id], by, now, own.get(item.id, note)) for item in chunk]
        session.execute(insert(entry), entries)
        if act in TAKES_BACK:
            carry_over(session, [item.id for item in chunk], by_name=by.name, now=now)
        facts = [_fact(item, -1) for item in chunk]
        facts += [_fact(item, +1, **changed) for item, changed in zip(chunk, after, strict=True)]
        tally.record(session, facts)
        if act is Act.ACCEPT:
            daily.add(session, work_item.c.id.in_([item.id for item in chunk]))
    if act is Act.SEND_BACK and items:
        tell_returned(session, [item.id for item in items], now=now)
    _tell(session, items, act, now)


def act_on_all(
    session: Session,
    which: ColumnElement[bool],
    act: Act,
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
    **facts: Any,
) -> int:
    """Do one act on every item that matches and is in a state it may start from; how many there were.

    A handful of statements whatever the number. Only for acts that change nothing but the state (issue, waive, cancel).
    Raises ReasonMissing, or ChangedMeanwhile when somebody acted on one of them at the same moment.
    """
    if act in NEEDS_REASON and not (note and note.strip()):
        raise ReasonMissing(f"{ACT_NAMES[act]}须写明理由")
    sources, target = TRANSITIONS[act]
    if target is None:
        raise ValueError(f"{act}: an act that keeps the state is done one item at a time")
    met = which & work_item.c.state.in_([state.value for state in sources])
    # claimed before anything is written, items before entries as everywhere: so nobody waits for us in a circle
    claimed = select(work_item.c.id).where(met).with_for_update().subquery()
    count = session.execute(select(func.count()).select_from(claimed)).scalar_one()
    if not count:
        return 0
    tally.move(session, met, target)
    evenings.forget_since(session, now)
    columns = [work_item.c.id, work_item.c.revision + 1, literal(act.value), literal(target.value)]
    stamped = [literal(by.unit), literal(by.name), literal(now, entry.c.at.type), literal(note, entry.c.note.type)]
    names = ["item_id", "revision", "act", "state", "by_unit", "by_name", "at", "note"]
    try:
        # the unique (item, revision) is the guard: whoever acts on an item at the same moment collides here
        session.execute(insert(entry).from_select(names, select(*columns, *stamped).where(met)))
    except IntegrityError as error:
        raise ChangedMeanwhile("其中有办理件刚刚被他人处理，请重试") from error
    session.execute(
        update(work_item)
        .where(met)
        .values(state=target.value, revision=work_item.c.revision + 1, changed_at=now, **facts)
    )
    return int(count)
