"""指标 summed: what units reported and had accepted, by requirement, measure and area. Exact, and at any past instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, select

from ledger.database import Session
from ledger.replay import facts_of_items
from ledger.tables import entry, evidence, plan, requirement, unit, work_item
from policy_models.lifecycle import Act, State
from policy_models.plan import EvidenceRule, EvidenceType, Plan, Requirement
from policy_models.reports import AreaFigure, Figure
from policy_models.rounds import NOT_OWED
from policy_models.timing import CatchUp

SCALE = 10_000  # the column keeps four decimals: sums of whole numbers are exact in both databases
Area = tuple[str, str]  # county, city unit


@dataclass(frozen=True, slots=True)
class _Sum:
    value: Decimal
    of: Decimal | None


def figures(session: Session, plan_id: int, *, first: date, last: date, until: datetime) -> tuple[AreaFigure, ...]:
    """Every measure of the plan by area, over the items with a deadline in ``first`` to ``last`` (civil dates, both
    included) that were accepted just before the instant ``until``; with how many such items there were.

    An area is a county (all its units together) or one unit of the city. Items waived, cancelled or only counted are
    not due. Two statements, and one for the plan.
    """
    then = facts_of_items(plan_id, until)
    meant = _in_span(then.c, first, last)
    group = [unit.c.county, case((unit.c.county == "", unit.c.code), else_="").label("city_unit")]
    counts = _counts(session, then, meant, group)
    sums = _sums(session, plan_id, then, meant, group, until)
    rules = _measures(session, plan_id)
    found = []
    for (code, county, city_unit), (items, due) in sorted(counts.items()):
        for name in rules.get(code, ()):
            total = sums.get((code, name, county, city_unit), _Sum(Decimal(0), None))
            of = total.of if total.of is not None else Decimal(0) if rules[code][name].of else None
            found.append(AreaFigure(code, name, county, city_unit, total.value, of, items, due))
    return tuple(found)


def figures_of(
    session: Session, plan_id: int, wanted: Collection[Requirement], units: Collection[str], *, first: date, last: date
) -> dict[str, tuple[Figure, ...]]:
    """The measures of these requirements as they stand now, summed over the units' own items; by requirement.

    A requirement without a measure gives the count of its items instead; one that nobody of them owes in the span
    gives none. Two statements.
    """
    codes = [one.code for one in wanted]
    meant = and_(
        _in_span(work_item.c, first, last),
        work_item.c.plan_id == plan_id,
        work_item.c.unit_code.in_(sorted(units)),
        requirement.c.code.in_(codes),
    )
    counts = _counts(session, work_item, meant, [])
    sums = _sums(session, plan_id, work_item, meant, [], None)
    return {one.code: tuple(_figures_of(one, *counts[(one.code,)], sums)) for one in wanted if (one.code,) in counts}


def _figures_of(one: Requirement, items: int, due: int, sums: Mapping[tuple[str, ...], _Sum]) -> list[Figure]:
    if not one.measures:
        done = Decimal(items)
        return [Figure(one.code, one.title, "", "办结", "应办", None, done, Decimal(due), items, due)]
    found = []
    for rule in one.measures:
        total = sums.get((one.code, str(rule.name)), _Sum(Decimal(0), None))
        of = total.of if total.of is not None else Decimal(0) if rule.of else None
        labels = (str(rule.label), rule.of_label, rule.target)
        found.append(Figure(one.code, one.title, str(rule.name), *labels, total.value, of, items, due))
    return found


def _in_span(items: Any, first: date, last: date) -> ColumnElement[bool]:
    return and_(
        items.deadline >= first,
        items.deadline <= last,
        items.state.not_in([state.value for state in NOT_OWED]),
        items.catch_up != CatchUp.COUNT_ONLY.value,
    )


def _counts(session: Session, items: Any, meant: Any, group: list[Any]) -> dict[tuple[str, ...], tuple[int, int]]:
    """By requirement and area: accepted items and all of them."""
    accepted = func.sum(case((items.c.state == State.ACCEPTED.value, 1), else_=0))
    rows = session.execute(
        select(requirement.c.code, *group, accepted.label("accepted"), func.count().label("due"))
        .select_from(_with_units(items))
        .where(meant)
        .group_by(requirement.c.code, *group)
    )
    return {tuple(row[:-2]): (int(row.accepted), int(row.due)) for row in rows}


def _sums(
    session: Session, plan_id: int, items: Any, meant: Any, group: list[Any], until: datetime | None
) -> dict[tuple[str, ...], _Sum]:
    """By requirement, measure and area: what the accepted items handed in last."""
    last = _last_submission(plan_id, until)
    value, of = (func.sum(_scaled(column)) for column in (evidence.c.value, evidence.c.of))
    pieces = and_(
        evidence.c.item_id == items.c.id,
        evidence.c.revision == last.c.revision,
        evidence.c.type == EvidenceType.MEASURE.value,
    )
    joined = _with_units(items).join(last, last.c.item_id == items.c.id).join(evidence, pieces)
    rows = session.execute(
        select(requirement.c.code, evidence.c.name, *group, value.label("value"), of.label("of"))
        .select_from(joined)
        .where(meant, items.c.state == State.ACCEPTED.value)
        .group_by(requirement.c.code, evidence.c.name, *group)
    )
    return {tuple(row[:-2]): _Sum(_unscaled(row.value) or Decimal(0), _unscaled(row.of)) for row in rows}


def _with_units(items: Any) -> Any:
    return items.join(requirement, requirement.c.id == items.c.requirement_id).join(
        unit, unit.c.code == items.c.unit_code
    )


def _last_submission(plan_id: int, until: datetime | None) -> Any:
    """The revision by which each item of the plan was last handed in before an instant."""
    chosen = (
        select(entry.c.item_id, func.max(entry.c.revision).label("revision"))
        .join(work_item, work_item.c.id == entry.c.item_id)
        .where(work_item.c.plan_id == plan_id, entry.c.act == Act.SUBMIT.value)
    )
    if until is not None:
        chosen = chosen.where(entry.c.at < until)
    return chosen.group_by(entry.c.item_id).subquery("last_submission")


def _scaled(column: Any) -> Any:
    """SQLite keeps numbers as floating point: rounded to the column's own grain they are whole, and add up exactly."""
    return cast(func.round(column * SCALE), BigInteger)


def _unscaled(total: Any) -> Decimal | None:
    return None if total is None else Decimal(format((Decimal(int(total)) / SCALE).normalize(), "f"))


def _measures(session: Session, plan_id: int) -> dict[str, dict[str, EvidenceRule]]:

    text = session.execute(select(plan.c.document).where(plan.c.id == plan_id)).scalar_one()
    document = Plan.model_validate_json(text)
    return {
        one.code: {str(rule.name): rule for rule in one.measures} for _, one in document.requirements() if one.measures
    }
