"""A ledger as large as asked for: the real plan over the real city with its villages multiplied (or cut down), two
years into its work, on the morning of a day that has much to open and to remind of."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count, islice
from typing import Any

from sqlalchemy import Date, DateTime, Integer, String, and_, case, cast, func, insert, literal, select, update

from benchmarks.databases import Stage, opened
from benchmarks.measure import say
from ledger import evenings, issuing, loading, reminders, tally
from ledger.civil import at_hour
from ledger.database import Database, Session
from ledger.tables import entry, plan, work_item
from policy_models.lifecycle import Act, State
from policy_models.plan import Level
from policy_models.plan_file import BUNDLED, Pack, load_pack
from policy_models.units import Unit, Units
from policy_models.work_items import work_items

DAY = date(2026, 6, 1)  # a Monday: the month's items open, those due on Sunday are late
LAST_SWEEP = date(2026, 5, 31)
LAST_WORKDAY = date(2026, 5, 29)
NOW = at_hour(DAY, 7, 35)
LATELY = DAY - timedelta(days=14)
DAYS_LATE = 10
LEFT, LEFT_LATELY = 2, 20  # of a hundred items whose deadline has passed, how many are still owed
UNIT_NAME = "办公室"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A built ledger: its name in the place, the plan's code, how many items it holds."""

    name: str
    plan: str
    items: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the items with ``first`` <= id % 100 < ``end``: acts after the issue, and columns."""

    first: int
    end: int
    acts: tuple[Act, ...]
    state: State
    late: bool = False


PAST = (
    Outcome(20, 21, (Act.SUBMIT,), State.SUBMITTED),
    Outcome(21, 22, (Act.WAIVE,), State.WAIVED),
    Outcome(22, 26, (Act.SUBMIT, Act.ACCEPT), State.ACCEPTED, late=True),
    Outcome(26, 100, (Act.SUBMIT, Act.ACCEPT), State.ACCEPTED),
    Outcome(LEFT, 20, (Act.SUBMIT, Act.ACCEPT), State.ACCEPTED),
)
LED_TO = {Act.SUBMIT: State.SUBMITTED, Act.WAIVE: State.WAIVED, Act.ACCEPT: State.ACCEPTED}


@cache
def real_pack() -> Pack:
    return load_pack(BUNDLED)


def real_items() -> int:
    """How many items the plan has for the units that are really there."""
    pack = real_pack()
    return sum(1 for _ in work_items(pack.plan, pack.units, pack.calendars))


def pack_of(items: int) -> Pack:
    """The real plan with so many villages that there are about ``items`` work items: copies of each village under its
    own township, or fewer than there are."""
    pack = real_pack()
    villages = [unit for unit in pack.units.values() if unit.level is Level.VILLAGE]
    upper = [unit for unit in pack.units.values() if unit.level is not Level.VILLAGE]
    owed_above = sum(1 for _ in work_items(pack.plan, Units(upper), pack.calendars))
    owed_by_one = (real_items() - owed_above) / len(villages)
    wanted = max(1, round((items - owed_above) / owed_by_one))
    copies = (_copy(village, number) for number in count() for village in villages)
    return dataclasses.replace(pack, units=Units([*upper, *islice(copies, wanted)]))


def _copy(village: Unit, number: int) -> Unit:
    if number == 0:
        return village
    return dataclasses.replace(village, code=f"{village.code}-{number:02}", name=f"{village.name}{number}")


def big_ledger(stage: Stage, items: int) -> Ledger:
    """The stage's ledger with about ``items`` items: built by the first who asks, kept for the run.

    Raises RuntimeError when the tally does not agree with the items.
    """
    if items not in stage.built:
        began = time.perf_counter()
        stage.built[items] = _build(stage, items)
        took = time.perf_counter() - began
        say(f"built a ledger of {stage.built[items].items:,} items on {stage.kind} in {took:.0f} s")
    built: Ledger = stage.built[items]
    return built


def _build(stage: Stage, items: int) -> Ledger:
    name, pack = f"big_{items}", pack_of(items)
    code = pack.plan.code
    stage.place.create(name)
    with opened(stage.place.url(name)) as database:
        with database.write() as session:
            loading.load_plan(session, pack, now=at_hour(pack.plan.starts_on, 8), go_live_on=pack.plan.starts_on)
        stage.place.settle(name)
        with database.write() as session:
            _live_through_the_past(session)
            plan_id = session.execute(select(plan.c.id).where(plan.c.code == code)).scalar_one()
            tally.rebuild(session, plan_id)
        _sweep_of_yesterday(database, code)
        stage.place.settle(name)
        with database.read() as session:
            if wrong := tally.recount(session, code):
                raise RuntimeError(f"the tally of the built ledger is wrong: {wrong[:3]}")
            held = session.execute(select(func.count()).select_from(work_item)).scalar_one()
    return Ledger(name, code, int(held))


def _sweep_of_yesterday(database: Database, code: str) -> None:
    yesterday = at_hour(LAST_WORKDAY, 7, 35)
    with database.write() as session:
        issuing.issue_due(session, code, as_of=LAST_SWEEP, now=yesterday)
    with database.write() as session:
        reminders.queue_due(session, code, as_of=LAST_WORKDAY, now=yesterday)
        tally.compact(session, code)
    while _keep(database, code, yesterday):
        pass


def _keep(database: Database, code: str, now: datetime) -> int:
    with database.write() as session:
        return evenings.keep(session, code, now=now)


def _live_through_the_past(session: Session) -> None:
    """Most items whose deadline has passed are done, with the entries that say so: a few statements."""
    residue = work_item.c.id % 100
    owed_lately = and_(work_item.c.deadline >= LATELY, residue < LEFT_LATELY)
    for outcome in PAST:
        which = and_(
            work_item.c.state == State.SCHEDULED.value,
            work_item.c.deadline < DAY,
            residue >= outcome.first,
            residue < outcome.end,
            ~owed_lately,
        )
        for revision, act in enumerate((Act.ISSUE, *outcome.acts), 1):
            _write_entries(session, which, outcome, revision, act)
        _set_items(session, which, outcome)


def _write_entries(session: Session, which: Any, outcome: Outcome, revision: int, act: Act) -> None:
    items = work_item.c
    by_unit = {Act.ISSUE: literal(""), Act.SUBMIT: items.unit_code}.get(act, literal("150200-mz"))
    state = LED_TO.get(act, State.OPEN)
    issued = act is Act.ISSUE
    at = _moment(session, items.opens_on if issued else _done_on(session, outcome), 0 if issued else revision)
    row = (items.id, literal(revision), literal(act.value), literal(state.value), by_unit, literal(UNIT_NAME), at)
    names = ["item_id", "revision", "act", "state", "by_unit", "by_name", "at"]
    session.execute(insert(entry).from_select(names, select(*row).where(which)))


def _set_items(session: Session, which: Any, outcome: Outcome) -> None:
    day = _done_on(session, outcome)
    values: dict[str, Any] = {
        "state": outcome.state.value,
        "revision": 1 + len(outcome.acts),
        "changed_at": _moment(session, day, 1 + len(outcome.acts)),
    }
    if Act.SUBMIT in outcome.acts:
        values["first_submitted_on"] = day
    if outcome.state is State.ACCEPTED:
        values |= {"reviewed_by": UNIT_NAME, "reviewed_at": _moment(session, day, 3)}
    if outcome.state is State.WAIVED:
        values["reason"] = "本期无此情形"
    session.execute(update(work_item).where(which).values(values))


def _done_on(session: Session, outcome: Outcome) -> Any:
    """The day on which an item is done: its deadline, or ten days later, but before the ledger's today."""
    deadline = work_item.c.deadline
    if not outcome.late:
        return deadline
    sqlite = session.dialect.name == "sqlite"
    later: Any = func.date(deadline, f"+{DAYS_LATE} days", type_=Date) if sqlite else deadline + DAYS_LATE
    return case((deadline < LAST_SWEEP - timedelta(days=DAYS_LATE), later), else_=LAST_SWEEP)


def _moment(session: Session, day: Any, hour: int) -> Any:
    """The instant of an hour (UTC) on a column's day, in the database's own form."""
    if session.dialect.name == "sqlite":
        return cast(day, String) + f" {hour:02}:00:00.000000"
    return cast(day, DateTime) + func.make_interval(0, 0, 0, 0, cast(literal(hour), Integer))
