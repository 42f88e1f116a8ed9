"""Whether the product can be relied on right now: the database answers, and when the flows last ran."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.dependencies import Ledger, Now
from api.guard import Guarded
from ledger.marks import marks
from policy_models.errors import LedgerUnavailable

SWEEP = "sweep"  # the daily sweep's mark
router = APIRouter(route_class=Guarded, tags=["运行"])
log = logging.getLogger("api")


@router.get("/healthz", summary="运行状况")
def healthz(database: Ledger, now: Now) -> JSONResponse:
    """200 while the ledger's database answers, else 503; with the last mark of each flow."""
    try:
        with database.read() as session:
            last = marks(session)
    except LedgerUnavailable as error:
        log.error("ledger unavailable: %s", error)
        down = {"status": "unavailable", "database": "unavailable", "at": now.isoformat()}
        return JSONResponse(down, 503, {"Retry-After": "30", "Cache-Control": "no-store"})
    flows: dict[str, Any] = {
        name: {"as_of": mark.as_of.isoformat(), "finished_at": mark.finished_at.isoformat()}
        for name, mark in sorted(last.items())
    }
    facts = {"status": "ok", "database": "ok", "at": now.isoformat(), "flows": flows, "sweep": flows.get(SWEEP)}
    return JSONResponse(facts, headers={"Cache-Control": "no-store"})
