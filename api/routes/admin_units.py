"""单位: found, looked at, renamed, moved, added, closed or merged; what becomes of open items is shown before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api import visit
from api.admin import admin_page, scope_of
from api.dependencies import Ledger, Now, Reads, UnitCode, civil, printable
from api.errors import status_of
from api.guard import Guarded
from api.pages import address
from api.routes.admin_audit import csv_answer
from api.unit_form import UnitForm, code_of, form_of, unit_form
from documents.cells import csv_lines
from ledger import plans
from ledger.acts import Actor
from ledger.civil import civil_date
from ledger.database import Database, Session
from ledger.queries.unit_list import UnitPile, listed_unit, unit_list
from ledger.queries.units import above, unit_row
from ledger.scope import line_of
from ledger.unit_changes import AtStake, at_stake, change_units, differences, reach_of, units_seen
from ledger.units import all_units, close_unit
from policy_models.access import Right
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, Faulty, LuchengError, NotFound, NotResponsible
from policy_models.plan import Function, Level
from policy_models.text import normalize_digits, written
from policy_models.units import COLUMN_NAMES, RANK, unit_rows

router = APIRouter(route_class=Guarded, include_in_schema=False)
TAB = "/admin/units"
PAGE_ROWS = 100
OFFERED = 300  # units in a list to choose from
PILE_NAMES = {UnitPile.TREE: "按上下级", UnitPile.BARE: "没有联络员", UnitPile.CLOSED: "已停用"}
EXPECTED = (Faulty, ChangedMeanwhile, ActNotAllowed, NotResponsible, NotFound)
Words = Annotated[str, BeforeValidator(printable), Query(max_length=40)]
Code = Annotated[str, BeforeValidator(printable), Query(max_length=24)]
Typed = Annotated[UnitForm, Depends(unit_form)]
Seen = Annotated[str, Form(pattern=r"^([0-9a-f]{64})?$")]
Day = Annotated[str, Form(max_length=20)]
Name = Annotated[str, Form(max_length=80)]


@router.get("/admin/units")
def show_units(
    session: Reads,
    now: Now,
    pile: UnitPile = UnitPile.TREE,
    parent: Code = "",
    q: Words = "",
    after: Code = "",
    told: Code = "",
) -> Response:
    words, scope = written(q), scope_of(Right.ADMINISTER)
    found = unit_list(session, scope, pile, civil_date(now), parent=parent, words=words, after=after, limit=PAGE_ROWS)
    context = {
        "found": found,
        "pile": pile,
        "piles": PILE_NAMES,
        "q": words,
        "after": after,
        "parent": listed_unit(session, parent) if parent else None,
        "crumbs": above(session, parent) if parent else (),
        "told": told,
    }
    return admin_page("admin_units.html", session, now, context, tab=TAB)


@router.get("/admin/units.csv")
def export_units(session: Reads, now: Now) -> Response:
    """The list of the scope, as the import takes it."""
    inside = reach_of(session, scope_of(Right.ADMINISTER))
    rows = (one for code, one in sorted(all_units(session).items()) if code in inside)
    return csv_answer("".join(csv_lines(unit_rows(rows))), "units.csv", f"单位名录{civil_date(now):%Y%m%d}.csv")


@router.get("/admin/units/{code}")
def show_unit(session: Reads, now: Now, code: UnitCode, told: Code = "") -> Response:
    return _unit_page(session, now, code, told=told)


def _unit_page(session: Session, now: datetime, code: str, error: LuchengError | None = None, **more: Any) -> Response:
    known = all_units(session)
    if code not in known:
        raise NotFound(f"没有代码为“{code[:24]}”的单位")
    own, inside = known[code], reach_of(session, scope_of(Right.ADMINISTER))
    others = [one for one in known.values() if one.code in inside and one.code != code]
    context = {
        "uppers": [one for one in others if not one.function and RANK[one.level] <= RANK[own.level]][:OFFERED],
        "heirs": [one for one in others if one.level is own.level and one.function == own.function][:OFFERED],
        "names": {one.code: one.name for one in known.values()},
        "unit": unit_row(session, code),
        "listed": listed_unit(session, code),
        "crumbs": above(session, code),
        "form": form_of(own),
        "new": UnitForm("", "", "", "", code, False),
        "levels": list(Level),
        "functions": list(Function),
        "superior": known.get(known.superior(own) or ""),
        "below": unit_list(session, scope_of(Right.ADMINISTER), UnitPile.TREE, civil_date(now), parent=code, limit=30),
        "coordinates": any(plan.coordinator == code for plan in plans.plans(session)),
        "column_names": COLUMN_NAMES,
        "faults": error.faults if isinstance(error, Faulty) else (),
        "fault": str(error) if error and not isinstance(error, Faulty) else "",
        "at": "",
        "closing": ("", ""),
        "told": "",
        **more,
    }
    return admin_page("admin_unit.html", session, now, context, tab=TAB, status=status_of(error) if error else 200)


@router.post("/admin/units/{code}")
def change(database: Ledger, now: Now, code: UnitCode, form: Typed, seen: Seen = "") -> Response:
    """A new name at once; another level, line of work or superior unit after it was shown what follows."""
    form = replace(form, code=code)
    return _saved(database, now, code, form, seen, at="change", told="renamed")


@router.post("/admin/units/{code}/below")
def add(database: Ledger, now: Now, code: UnitCode, form: Typed, seen: Seen = "") -> Response:
    """A new unit below this one, after it was shown what it will owe."""
    return _saved(database, now, code, replace(form, parent=code), seen, at="add", told="added")


def _saved(database: Database, now: datetime, code: str, form: UnitForm, seen: str, *, at: str, told: str) -> Response:
    scope = scope_of(Right.ADMINISTER)
    shown = {"form": form} if at == "change" else {"new": form}
    try:
        with database.read() as session:
            known = all_units(session)
            wanted = replace(form, parent=code_of(form.parent, known)).unit()
            [difference] = differences(known, [wanted]) or [None]
            if at == "add" and wanted.code in known:
                raise ActNotAllowed(f"代码 {wanted.code} 已是{known[wanted.code].name}，请换一个")
            asked = difference is not None and difference.is_structural and seen != units_seen(known)
        if asked:
            with database.trial() as session:
                done = change_units(session, [wanted], scope, now=now)
            with database.read() as session:
                context = {
                    "difference": difference,
                    "done": done,
                    "form": form_of(wanted),
                    "at": at,
                    "seen": units_seen(known),
                }
                return _asking(session, now, code, context)
        with database.write() as session:
            change_units(session, [wanted], scope, now=now, seen=seen)
    except EXPECTED as error:
        with database.read() as session:
            return _unit_page(session, now, code, error, at=at, **shown)
    return RedirectResponse(address(f"{TAB}/{wanted.code}", told=told), 303)


def _asking(session: Session, now: datetime, code: str, context: dict[str, Any]) -> Response:
    known = all_units(session)
    more = {
        "unit": unit_row(session, code),
        "known": known,
        "crumbs": above(session, code),
        "column_names": COLUMN_NAMES,
    }
    return admin_page("admin_unit_ask.html", session, now, {**more, **context}, tab=TAB)


@router.post("/admin/units/{code}/close/preview")
def preview_closing(database: Ledger, now: Now, code: UnitCode, on: Day = "", into: Name = "") -> Response:
    """What closing or merging a unit would mean; nothing is written."""
    try:
        day = _closing_day(on)
        with database.read() as session:
            heir = code_of(into, all_units(session)) or None
            _require_heir(session, heir)
            stake: AtStake = at_stake(session, code, day)
        with database.trial() as session:
            closed = close_unit(session, code, on=day, into=heir, by=_by(), now=now)
        with database.read() as session:
            context = {"closed": closed, "stake": stake, "on": day, "into": heir, "at": "close"}
            return _asking(session, now, code, context)
    except EXPECTED as error:
        with database.read() as session:
            return _unit_page(session, now, code, error, at="close", closing=(on, into))


@router.post("/admin/units/{code}/close")
def close(database: Ledger, now: Now, code: UnitCode, on: Day = "", into: Name = "") -> Response:
    """Close a unit from a day on, or merge it into another."""
    try:
        day = _closing_day(on)
        with database.write() as session:
            heir = code_of(into, all_units(session)) or None
            _require_heir(session, heir)
            close_unit(session, code, on=day, into=heir, by=_by(), now=now)
    except EXPECTED as error:
        with database.read() as session:
            return _unit_page(session, now, code, error, at="close", closing=(on, into))
    return RedirectResponse(address(f"{TAB}/{code}", told="closed"), 303)


def _closing_day(on: str) -> date:
    """Raises ActNotAllowed for what is no day."""
    try:
        day = civil(normalize_digits(on))
    except ValueError as error:
        raise ActNotAllowed(str(error)) from None
    if not isinstance(day, date):
        raise ActNotAllowed("请填写停用日期：从这一天起不再承担任何事项")
    return day


def _require_heir(session: Session, heir: str | None) -> None:
    """The unit that takes over must lie in the scope as well."""
    roots = scope_of(Right.ADMINISTER).roots
    if heir is not None and roots is not None and not line_of(session, heir) & set(roots):
        raise NotResponsible("并入的单位不在您负责的范围内")


def _by() -> Actor:
    visitor = visit.current().visitor
    return Actor("", visitor.name if visitor else "系统管理员")
