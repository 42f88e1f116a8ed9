"""我的待办: what a unit hands in next, what came back, and what waits for it to review or to fill in for its villages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from api import visit
from api.agenda import todo
from api.dependencies import Now, Reads, UnitCode
from api.desk import Today, extensions_to_decide, open_sheets
from api.guard import Guarded
from api.navigation import starts_at_desk
from api.pages import page, plan_page
from api.report_paths import collecting_path
from api.routes.submit import submit_path
from ledger import drafts, plans
from ledger.civil import civil_date
from ledger.queries.items import ItemRow, unit_items
from ledger.queries.reading import Reading
from ledger.queries.review import waiting_count
from ledger.queries.units import unit_names, unit_row, units_of
from policy_models.access import Right, Visitor
from policy_models.lifecycle import OWED, State
from policy_models.plan import EvidenceType

router = APIRouter(route_class=Guarded, include_in_schema=False)


def desk_path(code: str) -> str:
    return f"/units/{quote(code, safe='-')}/desk"


@router.get("/start")
def start(session: Reads) -> Response:
    """Where a day begins: at the desk for who only hands in for townships and villages, else at the board."""
    visitor = _visitor()
    levels = [one.level for one in units_of(session, frozenset(grant.unit for grant in visitor.grants))]
    return RedirectResponse("/desk" if starts_at_desk(visitor, levels) else "/", 303)


@router.get("/desk")
def find_desk(session: Reads, now: Now) -> Response:
    """The desk of the visitor's own unit: the coordinator's for who belongs to none."""
    home = _visitor().home
    if home is None:
        plan = plans.default_plan(session, civil_date(now))
        if plan is None:
            return page("empty.html", {})
        home = plan.coordinator
    return RedirectResponse(desk_path(home), 303)


@router.get("/units/{code}/desk")
def show_desk(session: Reads, reading: Today, code: UnitCode) -> Response:
    own, rights, visitor = unit_row(session, code), visit.current().rights, _visitor()
    rows = unit_items(session, reading, own.code)
    slices = todo(rows, reading.as_of)
    shown = [row for one in slices for row in one.rows]
    held = drafts.held_counts(session, reading.plan_id, own.code)
    reports, reviews = Right.REPORT in rights and not own.is_closed(reading.as_of), Right.REVIEW in rights
    others = frozenset(grant.unit for grant in visitor.grants if grant.unit and grant.unit != own.code)
    context = {
        "here": "desk" if own.code == (visitor.home or reading.summary.coordinator) else "units",
        "unit": own,
        "slices": slices,
        "owes": bool(rows),
        "next_open": min((row for row in rows if row.state is State.SCHEDULED), key=lambda r: r.opens_on, default=None),
        "paths": {row.key: _path(row, reading) for row in shown if reports and row.state in OWED},
        "pieces": {row.key: _pieces(row, reading, held.get(row.key, {})) for row in shown if row.state in OWED},
        "reports": reports,
        "reviews": waiting_count(session, reading, own.code) if reviews else 0,
        "extensions": extensions_to_decide(session, reading, own.code) if reviews else 0,
        "sheets": open_sheets(session, reading, own.code) if reports else (),
        "others": sorted(unit_names(session, others).items()),
    }
    return plan_page("my_desk.html", reading, plans.plans(session), context)


def _visitor() -> Visitor:
    visitor = visit.current().visitor
    assert visitor is not None, "the guard lets nobody in without an account"
    return visitor


def _path(row: ItemRow, reading: Reading) -> tuple[str, bool] | None:
    """Where the item is handed in, and whether that opens in place; None for one that the plan no longer has."""
    requirement = reading.requirement(row.requirement)
    if requirement is None:
        return None
    if requirement.collects:
        return collecting_path(requirement.collects, row.unit, row.period), False
    return f"{submit_path(row.unit, row.key)}?back=desk", True


def _pieces(row: ItemRow, reading: Reading, held: Mapping[EvidenceType, int]) -> tuple[int, int]:
    """How many of the wanted pieces of evidence the draft holds, of how many."""
    requirement = reading.requirement(row.requirement)
    wanted: dict[EvidenceType, int] = {}
    for rule in requirement.evidence if requirement and not requirement.collects else ():
        wanted[rule.type] = wanted.get(rule.type, 0) + rule.min
    return sum(min(held.get(type, 0), least) for type, least in wanted.items()), sum(wanted.values())
