"""Steps that read how a section of the plan stands, as primitives for a run's artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from prefect import task

from ledger import plans, tally
from ledger.database import Session
from ledger.settings import Settings
from policy_models.deadlines import timetable
from policy_models.plan import Plan, Section
from policy_models.rollup import Cell, Count, roll_up
from policy_models.timing import LIGHT_NAMES
from tasks import clock
from tasks.transaction import STEP, reading

COMING_DAYS = 30
CONFIDENCE_NAMES = {"announced": "", "forecast": "推定", "placeholder": "推定（校历未录入）"}


@task(name="读取进展", **STEP)
def section_progress(plan: str, section: str, as_of: str) -> dict[str, Any]:
    """How a section ("task-5") stands: counts, shares (0 to 1), the light's word, and what is due in 30 days."""
    day = date.fromisoformat(as_of)
    with reading() as session:
        document = plans.plan_document(session, plan)
        found = dict(document.sections())[section]
        codes = {requirement.code for requirement in found.requirements}
        counts = [c for c in tally.counts(session, plan, day, now=clock.now()) if c.requirement in codes]
        coming = _coming(session, document, section, day)
    number = found.number
    return {"title": found.title, "page": _page(f"/tasks/{number}", plan), "coming": coming, **_cell(_one(counts))}


@task(name="核对阶段", **STEP)
def phase_standing(plan: str, number: int, as_of: str) -> dict[str, Any]:
    """How a phase stands: its own work, each task's work in it, and the milestones still missing at its gate."""
    day = date.fromisoformat(as_of)
    with reading() as session:
        document = plans.plan_document(session, plan)
        counts = [c for c in tally.counts(session, plan, day, now=clock.now()) if c.phase == number]
    phase = next(phase for phase in document.phases if phase.number == number)
    by_task = roll_up(counts, lambda count: count.task)
    rows = [
        {"task": t.number, "title": t.title, **_cell(by_task[t.number])} for t in document.tasks if t.number in by_task
    ]
    return {
        "title": phase.title,
        "starts_on": phase.starts_on.isoformat(),
        "ends_on": phase.ends_on.isoformat(),
        "page": _page(f"/phases/{number}", plan),
        "tasks": rows,
        "missing": _missing(phase, counts),
        **_cell(_one(counts)),
    }


def _missing(phase: Section, counts: Sequence[Count]) -> list[dict[str, Any]]:
    """The phase's milestones of which not every expected item is accepted."""
    cells = roll_up(counts, lambda count: count.requirement)
    milestones = [requirement for requirement in phase.requirements if requirement.milestone]
    standing = [(requirement, cells.get(requirement.code, Cell())) for requirement in milestones]
    return [
        {"code": requirement.code, "title": requirement.title, "left": cell.expected - cell.done}
        for requirement, cell in standing
        if cell.done < cell.expected
    ]


def _coming(session: Session, document: Plan, section: str, day: date) -> list[dict[str, Any]]:
    titles = {requirement.code: requirement.title for _, requirement in document.requirements()}
    until = day + timedelta(days=COMING_DAYS)
    duties = timetable(document, plans.calendars(session, document.code))
    due = [duty for duty in duties if duty.section == section and day <= duty.deadline <= until]
    return [
        {
            "事项": f"{duty.requirement} {titles[duty.requirement]}",
            "期次": duty.period,
            "时限": duty.deadline.isoformat(),
            "请于此前报送": duty.remind_by.isoformat(),
            "说明": CONFIDENCE_NAMES[duty.confidence],
        }
        for duty in sorted(due, key=lambda duty: (duty.deadline, duty.requirement))
    ]


def _one(counts: Sequence[Count]) -> Cell:
    return roll_up(counts, lambda _count: "").get("", Cell())


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "expected": cell.expected,
        "done": cell.done,
        "late": cell.late,
        "share_done": cell.share_done,
        "share_due": cell.share_due,
        "light": LIGHT_NAMES[cell.light],
    }


def _page(path: str, plan: str) -> str:
    return f"{Settings.load().base_url.rstrip('/')}{path}?plan={plan}"
