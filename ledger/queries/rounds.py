"""报送: every round with its 齐报率 and 及时率, and one round unit by unit, as of any day. A fixed number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, select

from ledger.bulletin import counted
from ledger.civil import end_of_day
from ledger.database import Session
from ledger.queries.exemplars import exemplars_at
from ledger.queries.reading import Reading
from ledger.rounds import Round, round_from
from ledger.scope import within
from ledger.tables import duty, report, report_draft, requirement, round_, tally, unit, work_item
from policy_models.errors import NotFound
from policy_models.lifecycle import State
from policy_models.plan import Collects, Level
from policy_models.rounds import ReportStanding, ReportStatus, RoundFigures, figures, half_year


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round, open or closed, or one that is still to come (``round`` None): its days, and how its reports stand.

    ``skipped``: it lies before go-live and is only counted or waived, so that it is never opened.
    """

    code: str
    first: date
    last: date
    opens_on: date
    deadline: date
    remind_by: date
    round: Round | None
    figures: RoundFigures
    skipped: bool = False

    @property
    def phase(self) -> str:
        """coming, open, closed or skipped."""
        if self.round is None:
            return "skipped" if self.skipped else "coming"
        return "closed" if self.round.is_closed else "open"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One unit's report on the round board: ``returns`` how often it was sent back, ``sections_drafted`` how many
    sections lie in its draft, ``exemplars`` handed in for the half-year, ``bulletins`` counted for that year."""

    unit: str
    name: str
    level: Level
    county: str
    key: str
    standing: ReportStanding
    status: ReportStatus
    remind_by: date
    returns: int
    sections_drafted: int
    exemplars: int
    bulletins: int


@dataclass(frozen=True, slots=True)
class RoundBoard:
    row: RoundRow
    reports: tuple[ReportRow, ...]


def rounds_of(session: Session, reading: Reading) -> tuple[RoundRow, ...]:
    """Every round of the plan as of the day, the newest first; those to come as well. Four statements."""
    until = end_of_day(reading.as_of)
    opened = {one.code: one for one in _opened(session, reading, until)}
    standings: dict[str, list[ReportStanding]] = {}
    for row in _reports(session, reading, until):
        standings.setdefault(row.code, []).append(_standing(row))
    owed = _periods_owed(session, reading)
    found = []
    for row in _periods(session, reading):
        half = half_year(row.period, reading.plan)
        here = opened.get(row.period)
        counted = figures(standings.get(row.period, ()), reading.as_of)
        dates = (half.first, half.last, row.opens_on, row.deadline, row.remind_by)
        found.append(RoundRow(row.period, *dates, here, counted, skipped=row.period not in owed))
    return tuple(sorted(found, key=lambda one: one.first, reverse=True))


def round_board(session: Session, reading: Reading, code: str) -> RoundBoard:
    """One round unit by unit: departments as the plan names them, then counties. Raises NotFound for a half-year that
    has none. One round that is still to come has no reports."""
    found = next((one for one in rounds_of(session, reading) if one.code == code), None)
    if found is None:
        raise NotFound(f"方案没有 {code[:12]} 这一期半年报送")
    if found.round is None:
        return RoundBoard(found, ())
    until = end_of_day(reading.as_of)
    exemplars = Counter(one.unit for one in exemplars_at(session, reading.plan_id, code, until=until))
    bulletins = counted(session, reading.plan_id, found.first.year, until=until)
    drafted = _drafted(session, found.round.id, until)
    rows = [
        _report_row(row, reading, exemplars, bulletins, drafted)
        for row in _reports(session, reading, until, found.round.id)
    ]
    places = {code: place for place, code in enumerate(dict.fromkeys(reading.plan.organs.values()))}
    rows.sort(key=lambda one: (one.level is not Level.CITY, places.get(one.unit, len(places)), one.unit))
    return RoundBoard(found, tuple(rows))


def _opened(session: Session, reading: Reading, until: datetime) -> Iterable[Round]:
    """The rounds as they were on the day: one closed later was still open."""
    mine = (round_.c.plan_id == reading.plan_id, round_.c.opened_at < until)
    for row in session.execute(select(round_).where(*mine)):
        known = round_from(row)
        if known.closed_at is not None and known.closed_at >= until:
            values = {name: getattr(known, name) for name in Round.__dataclass_fields__}
            known = Round(**{**values, "closed_at": None, "closed_by": None})
        yield known


def _reports(session: Session, reading: Reading, until: datetime, round_id: int | None = None) -> list[Any]:
    """The reports of all rounds, or of one, with their items as of the day."""
    items: Any = reading.items(work_item.c.id.in_(select(report.c.item_id)))
    names = ("key", "state", "deadline", "first_submitted_on", "returns", "catch_up")
    chosen = (
        select(
            round_.c.code,
            report.c.id.label("report_id"),
            report.c.unit_code,
            unit.c.name,
            unit.c.level,
            unit.c.county,
            unit.c.closed_on,
            *(items.c[name] for name in names),
        )
        .select_from(
            report.join(round_, round_.c.id == report.c.round_id)
            .join(items, items.c.id == report.c.item_id)
            .join(unit, unit.c.code == report.c.unit_code)
        )
        .where(round_.c.plan_id == reading.plan_id, report.c.created_at < until)
        .where(within(reading.scope, report.c.unit_code))
    )
    if round_id is not None:
        chosen = chosen.where(round_.c.id == round_id)
    return list(session.execute(chosen))


def _standing(row: Any, drafted: bool = False) -> ReportStanding:
    return ReportStanding(
        State(row.state), row.deadline, row.first_submitted_on, row.closed_on, drafted, bool(row.catch_up)
    )


def _report_row(
    row: Any, reading: Reading, exemplars: Counter[str], bulletins: Mapping[str, int], drafted: dict[int, int]
) -> ReportRow:
    standing = _standing(row, drafted=row.report_id in drafted)
    return ReportRow(
        unit=row.unit_code,
        name=row.name,
        level=Level(row.level),
        county=row.county,
        key=row.key,
        standing=standing,
        status=standing.status(reading.as_of),
        remind_by=reading.calendars.work.on_or_before(row.deadline),
        returns=row.returns,
        sections_drafted=drafted.get(row.report_id, 0),
        exemplars=exemplars[row.unit_code],
        bulletins=bulletins.get(row.unit_code, 0),
    )


def _drafted(session: Session, round_id: int, until: datetime) -> dict[int, int]:
    """How many sections each unit had saved: of a section saved again later only the last time is known."""
    rows = session.execute(
        select(report_draft.c.report_id, func.count().label("n"))
        .join(report, report.c.id == report_draft.c.report_id)
        .where(report.c.round_id == round_id, report_draft.c.saved_at < until)
        .group_by(report_draft.c.report_id)
    )
    return {row.report_id: row.n for row in rows}


def _of_reports(reading: Reading) -> Any:
    return and_(requirement.c.plan_id == reading.plan_id, requirement.c.collects == Collects.REPORT.value)


def _periods(session: Session, reading: Reading) -> list[Any]:
    dates = (
        func.min(duty.c.opens_on).label("opens_on"),
        func.max(duty.c.deadline).label("deadline"),
        func.max(duty.c.remind_by).label("remind_by"),
    )
    return list(
        session.execute(
            select(duty.c.period, *dates)
            .join(requirement, requirement.c.id == duty.c.requirement_id)
            .where(_of_reports(reading), duty.c.dropped.is_(False))
            .group_by(duty.c.period)
        )
    )


def _periods_owed(session: Session, reading: Reading) -> set[str]:
    """The half-years in which a report is still asked for of anybody, not only counted or waived: told by the tally."""
    asked = (
        tally.c.plan_id == reading.plan_id,
        tally.c.catch_up != "count_only",
        tally.c.state.not_in([State.WAIVED.value, State.CANCELLED.value]),
    )
    chosen = (
        select(tally.c.period)
        .join(requirement, requirement.c.id == tally.c.requirement_id)
        .where(_of_reports(reading), *asked)
        .group_by(tally.c.period)
        .having(func.sum(tally.c.n) > 0)
    )
    return set(session.execute(chosen).scalars())
