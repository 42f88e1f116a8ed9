"""负担: how many items fall due in each place on each day, so that one sees in time where the work piles up."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.sql.selectable import FromClause

from ledger import daily, tally
from ledger.civil import end_of_day
from ledger.database import Session
from ledger.queries.grounds import Ground, Layout, inside, place_column
from ledger.queries.reading import Reading
from ledger.replay import facts_of_items, touched_since
from ledger.tables import due_day, unit, work_item
from policy_models.series import monday

Counts = dict[tuple[str, date], int]


def burden(session: Session, reading: Reading, here: Ground, first: date, last: date) -> Counts:
    """Expected items with a deadline from ``first`` to ``last`` (both included), by place and by the Monday of the week;
    two statements at most."""
    counties = tally.whole_counties(session, reading.scope)
    if counties is None or here.layout is Layout.UNITS:
        rows = _of_items(session, reading, here, first, last)
    else:
        rows = _of_days(session, reading, here, (first, last), counties)
    found: Counter[tuple[str, date]] = Counter()
    for place, day, n in rows:
        found[place, monday(day)] += n
    return {key: n for key, n in found.items() if n}


def _of_days(
    session: Session, reading: Reading, here: Ground, span: tuple[date, date], counties: tuple[str, ...]
) -> list[tuple[str, date, int]]:
    source = _due_days(reading, span)
    county = func.coalesce(unit.c.county, "")
    place = source.c.place if here.layout is Layout.TOWNSHIPS else county
    chosen = (
        select(place.label("place"), source.c.deadline, func.sum(source.c.n).label("n"))
        .select_from(source.outerjoin(unit, unit.c.code == source.c.place))
        .group_by(place, source.c.deadline)
    )
    if here.under is not None:
        chosen = chosen.where(county == here.under)
    if counties:
        chosen = chosen.where(county.in_(counties))
    return [(row.place, row.deadline, int(row.n)) for row in session.execute(chosen)]


def _due_days(reading: Reading, span: tuple[date, date]) -> FromClause:
    """Counts by place and day to be summed; on a past day less the items touched since as they stand, and with them as
    they stood."""
    rows = due_day.c
    told = select(rows.place, rows.deadline, rows.n).where(
        rows.plan_id == reading.plan_id, rows.deadline.between(*span)
    )
    if not reading.is_past:
        return told.subquery("due_days")
    until = end_of_day(reading.as_of)
    ids = select(touched_since(reading.plan_id, until).c.id)
    mine = (work_item.c.plan_id == reading.plan_id, work_item.c.id.in_(ids))
    present = _placed(work_item, span, -1).where(*mine)
    then = _placed(facts_of_items(reading.plan_id, until, ids), span, +1)
    return union_all(told, present, then).subquery("due_days")


def _placed(source: Any, span: tuple[date, date], sign: int) -> Any:
    upper = unit.alias("upper")
    return (
        select(daily.place_of(unit, upper), source.c.deadline, literal(sign))
        .select_from(
            source.join(unit, unit.c.code == source.c.unit_code).outerjoin(upper, upper.c.code == unit.c.parent)
        )
        .where(daily.is_expected(source.c), source.c.deadline.between(*span))
    )


def _of_items(session: Session, reading: Reading, here: Ground, first: date, last: date) -> list[tuple[str, date, int]]:
    source = reading.items()
    upper = unit.alias("upper")
    place = place_column(here, unit, upper)
    chosen = (
        select(place.label("place"), source.c.deadline, func.count().label("n"))
        .select_from(
            source.join(unit, unit.c.code == source.c.unit_code).outerjoin(upper, upper.c.code == unit.c.parent)
        )
        .where(reading.seen(source.c), inside(here, unit), source.c.deadline.between(first, last))
        .where(daily.is_expected(source.c))
        .group_by(place, source.c.deadline)
    )
    return [(row.place, row.deadline, row.n) for row in session.execute(chosen)]
