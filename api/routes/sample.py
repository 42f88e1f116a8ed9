"""抽查: drawing, looking at what was drawn, accepting the rest; and the draw done again, for anybody to see."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.dependencies import Acting, Ledger, Now, PlanCode, Reads, UnitCode, Writes, printable
from api.desk import Today, present
from api.guard import Guarded
from api.pages import address, plan_page
from api.routes.review import Words, note_blocked
from ledger import plans, samples, sampling
from ledger.database import Session
from ledger.queries.reading import Reading
from ledger.queries.review import handed_in
from ledger.queries.units import unit_row
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, NotFound, PrivacyBlocked, ReasonMissing

router = APIRouter(route_class=Guarded, include_in_schema=False)
Id = Annotated[int, Path(ge=1, le=2**62)]
Word = Annotated[str, BeforeValidator(printable), Form(max_length=40)]
SEED_BYTES = 8


@router.post("/units/{code}/samples")
def draw(
    session: Writes,
    now: Now,
    by: Acting,
    code: UnitCode,
    requirement: Word,
    period: Word,
    share: Annotated[int, Form(ge=1, le=100)],
    plan: PlanCode = None,
) -> Response:
    """Draw with a fresh seed: nobody chooses it, and it is recorded."""
    reading = present(session, plan, now)
    seed = secrets.token_hex(SEED_BYTES)
    facts = {"by": by, "now": now, "seed": seed, "share": share}
    id = sampling.draw(session, reading.summary.code, requirement, period, **facts)  # type: ignore[arg-type]
    return RedirectResponse(address(_path(code, id), plan=plan), 303)


def _path(code: str, id: int) -> str:
    return f"/units/{quote(code, safe='-')}/samples/{id}"


@router.get("/units/{code}/samples/{id}")
def show(
    session: Reads, reading: Today, code: UnitCode, id: Id, rest: Annotated[int, Query(ge=0, le=100_000)] = 0
) -> Response:
    return _page(session, reading, code, id, rest=rest)


def _page(
    session: Session,
    reading: Reading,
    code: str,
    id: int,
    *,
    rest: int = 0,
    fault: str = "",
    at: str = "",
    note: str = "",
    status: int = 200,
) -> Response:
    found = samples.read(session, id)
    if found.plan != reading.summary.code or found.reviewer != code:
        raise NotFound("没有这次抽查，地址可能不完整")
    rule = reading.requirement(found.requirement)
    context = {
        "here": "units",
        "unit": unit_row(session, code),
        "sample": found,
        "requirement": rule,
        "handed": handed_in(session, _submissions(found)),
        "rest": rest,
        "fault": fault,
        "at": at,
        "note": note,
    }
    return plan_page("sample.html", reading, plans.plans(session), context, status=status)


def _submissions(found: samples.Sample) -> dict[int, int]:
    """The revision with which each drawn piece was handed in."""
    return {piece.item_id: piece.submitted for piece in found.drawn}


@router.post("/units/{code}/samples/{id}/check")
def check(
    database: Ledger,
    now: Now,
    by: Acting,
    code: UnitCode,
    id: Id,
    key: Annotated[str, BeforeValidator(printable), Form(max_length=120)],
    result: Annotated[Literal["passed", "failed"], Form()],
    note: Words = "",
    plan: PlanCode = None,
) -> Response:
    """The result of one drawn piece."""
    try:
        with database.write() as session:
            sampling.check(session, id, key, passed=result == "passed", note=note, by=by, now=now)
    except (ReasonMissing, PrivacyBlocked, ChangedMeanwhile, ActNotAllowed) as error:
        note_blocked(database, error, by=by, now=now)
        status = 422 if isinstance(error, (ReasonMissing, PrivacyBlocked)) else 409
        with database.read() as session:
            reading = present(session, plan, now)
            return _page(session, reading, code, id, fault=str(error), at=key, note=note, status=status)
    return RedirectResponse(address(_path(code, id), plan=plan), 303)


@router.post("/units/{code}/samples/{id}/rest")
def accept_rest(database: Ledger, now: Now, by: Acting, code: UnitCode, id: Id, plan: PlanCode = None) -> Response:
    """Accept what was not drawn, once all that was drawn has passed."""
    try:
        with database.write() as session:
            count = sampling.accept_rest(session, id, by=by, now=now)
    except (ChangedMeanwhile, ActNotAllowed) as error:
        with database.read() as session:
            return _page(session, present(session, plan, now), code, id, fault=str(error), status=409)
    return RedirectResponse(address(_path(code, id), rest=count, plan=plan), 303)
