"""例外放行: the coordinator sees what the privacy gate stopped, masked, and lets one content in, by name and reason."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.dependencies import Acting, Now, Reads, UnitCode, Writes, acting, printable
from api.desk import Today
from api.guard import Guarded
from api.pages import plan_page
from ledger import plans, screenings
from ledger.acts import Actor
from ledger.queries.blocked import gate
from ledger.queries.reading import Reading
from ledger.queries.units import unit_row
from policy_models.errors import NotResponsible
from policy_models.privacy import KINDS

router = APIRouter(route_class=Guarded, include_in_schema=False)
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, BeforeValidator(printable), Form(max_length=300)]


@router.get("/units/{code}/exceptions")
def show_exceptions(session: Reads, reading: Today, now: Now, code: UnitCode) -> Response:
    by = _coordinator(reading, acting(session, now, code))
    context = {"here": "units", "desk": unit_row(session, by.unit), "gate": gate(session), "kinds": KINDS}
    return plan_page("exceptions.html", reading, plans.plans(session), context)


@router.post("/units/{code}/exceptions/{sha256}")
def allow(
    session: Writes, reading: Today, now: Now, by: Acting, sha256: Digest, named: Words = "", reason: Words = ""
) -> Response:
    """Let this content in from now on: the unit sends it again, and others see its redacted copy."""
    _coordinator(reading, by)
    screenings.allow(session, sha256, by=Actor(by.unit, named.strip()), reason=reason, now=now)
    return RedirectResponse(f"/units/{quote(by.unit, safe='-')}/exceptions", 303)


def _coordinator(reading: Reading, by: Actor) -> Actor:
    if by.unit != reading.summary.coordinator:
        raise NotResponsible("只有统筹单位可以查看和放行筛查拦下的文件")
    return by
