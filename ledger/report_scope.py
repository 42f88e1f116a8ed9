"""What every act on a report shares: the report with its round and item, and what its unit has to tell of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from sqlalchemy import select

from ledger import plans
from ledger.acts import Standing, standing
from ledger.database import Session
from ledger.rounds import Round, round_from
from ledger.tables import plan as plan_table
from ledger.tables import report, round_, work_item
from ledger.units import all_units
from policy_models.errors import NotFound
from policy_models.plan import Plan, Requirement
from policy_models.reports import WHOLE_NAMES, answers_for, checklist, sections_of, speaks_for
from policy_models.units import Unit, Units

NO_REPORT = "这个单位在本期没有半年报告要报送"


@dataclass(frozen=True)
class ReportScope:
    """What a unit tells of in one half-year: a function of the plan, the units and the round."""

    plan: Plan
    unit: Unit
    units: Units
    round: Round

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """The sections the report asks for, in order."""
        return sections_of(self.plan, self.unit, self.units, first=self.round.first, last=self.round.last)

    @cached_property
    def covered(self) -> frozenset[str]:
        """The units whose work it tells of."""
        return speaks_for(self.unit, self.units)

    @cached_property
    def checklists(self) -> dict[str, tuple[Requirement, ...]]:
        """What each section asks to be answered in words."""
        own = (name for name in self.sections if name not in WHOLE_NAMES)
        answering = answers_for(self.plan, self.unit, self.units)
        return {name: checklist(self.plan, self.unit, self.units, name, answering) for name in own}


@dataclass(frozen=True)
class Report:
    """A unit's report: its row, its round, its work item as it stands."""

    id: int
    round: Round
    item: Standing


def report_of(session: Session, plan_code: str, round_code: str, unit_code: str) -> Report:
    """The report of a unit in a round. Raises NotFound."""
    row = session.execute(
        select(report.c.id.label("report_id"), work_item.c.key, round_)
        .join(round_, round_.c.id == report.c.round_id)
        .join(plan_table, plan_table.c.id == round_.c.plan_id)
        .join(work_item, work_item.c.id == report.c.item_id)
        .where(plan_table.c.code == plan_code, round_.c.code == round_code, report.c.unit_code == unit_code)
    ).first()
    if row is None:
        raise NotFound(NO_REPORT)
    return Report(row.report_id, round_from(row), standing(session, row.key))


def scope_of(session: Session, found: Report) -> ReportScope:
    """What this report tells of."""
    plan, units = plans.plan_document(session, found.item.plan_code), all_units(session)
    return _scope(_Same(plan), _Same(units), found.item.unit, found.round)


class _Same:
    """A large value by its identity: the plan and the tree are the same objects as long as nothing changes."""

    def __init__(self, value: Plan | Units) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


# What a unit tells of takes some 30 ms to work out, and a draft is saved as one types.
@lru_cache(maxsize=128)
def _scope(plan: _Same, units: _Same, unit: str, round_: Round) -> ReportScope:
    assert isinstance(plan.value, Plan)
    assert isinstance(units.value, Units)
    return ReportScope(plan.value, units.value.one(unit), units.value, round_)
