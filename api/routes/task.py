"""A task, a phase or a safeguard: who owes what, by when, proved how, and how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.dependencies import OpenPlan, Reads
from api.flow_line import flow_line
from api.guard import Guarded
from api.matrices import requirement_views
from api.pages import plan_page
from api.routes.submit import labels
from ledger import plans, tally
from ledger.queries.flow_runs import duties_of, last_run
from ledger.queries.latest import exemplars_of, latest_accepted, latest_acts
from ledger.queries.matrix import matrix
from ledger.queries.reading import Reading
from ledger.queries.units import unit_names
from policy_models.errors import NotFound
from policy_models.plan import Section
from policy_models.rollup import Cell, Count, roll_up

router = APIRouter(route_class=Guarded, include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=99)]
ACTS_SHOWN, ACCEPTED_SHOWN, EXEMPLARS_SHOWN = 12, 8, 5


@router.get("/tasks/{number}")
def show_task(session: Reads, reading: OpenPlan, number: Number) -> Response:
    return _show(session, reading, f"task-{number}", f"方案中没有任务{number}")


@router.get("/phases/{number}")
def show_phase(session: Reads, reading: OpenPlan, number: Number) -> Response:
    return _show(session, reading, f"phase-{number}", f"方案中没有第{number}阶段")


@router.get("/safeguards/{number}")
def show_safeguard(session: Reads, reading: OpenPlan, number: Number) -> Response:
    return _show(session, reading, f"safeguard-{number}", f"方案中没有保障措施{number}")


def _show(session: Reads, reading: Reading, name: str, missing: str) -> Response:
    section = reading.section(name)
    if section is None:
        raise NotFound(missing)
    found = matrix(session, reading, name)
    names = unit_names(session, frozenset(row.area for row in found))
    views, continuous = requirement_views(reading, section, found, names)
    whole = roll_up((Count("", None, 0, "", row.timing, row.n, row.due) for row in found), lambda c: 0)
    actions = {number: action for action in reading.plan.actions for number in action.tasks}
    context = {
        "here": "tasks",
        "name": name,
        "of_phase": _of_phase(session, reading, section) if name.startswith("phase-") else None,
        "section": section,
        "action": actions.get(section.number) if name.startswith("task-") else None,
        "cell": whole.get(0, Cell()),
        "views": views,
        "continuous": continuous,
        "flow": flow_line(reading, name, duties_of(session, reading, name), last_run(session, reading, name)),
        "acts": latest_acts(session, reading, name, limit=ACTS_SHOWN),
        "accepted": latest_accepted(session, reading, name, limit=ACCEPTED_SHOWN),
        "exemplars": exemplars_of(session, reading, name, limit=EXEMPLARS_SHOWN),
        "measures": {one.code: labels(one) for one in section.requirements},
    }
    return plan_page("section.html", reading, plans.plans(session), context)


def _of_phase(session: Reads, reading: Reading, phase: Section) -> Cell:
    """Everything that falls into a phase, of whatever section."""
    counts = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now, scope=reading.scope)
    return roll_up((one for one in counts if one.phase == phase.number), lambda c: 0).get(0, Cell())
