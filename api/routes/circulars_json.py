"""通报 as JSON: what was issued, and one period."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import Now, OpenPlan, PlanCode, Reads
from api.json_route import ApiRoute
from api.routes.circulars import Word, Year, opened_circular
from ledger import circulars
from ledger.civil import civil_date
from policy_models.circulars import Circular

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["通报"])


@router.get(
    "/circulars", summary="已发布的通报", description="期间在某年结束的周通报和月通报，最新的在前；不写年份为今年。"
)
def list_circulars(session: Reads, reading: OpenPlan, year: Year = None) -> list[Circular]:
    """Those of the periods that ended in a civil year (default: this one), the newest first."""
    chosen = year or civil_date(reading.now).year
    return [one.circular for one in circulars.circulars_of(session, reading.plan_id, chosen)]


@router.get(
    "/circulars/{kind}/{period}",
    summary="一期通报",
    description="kind 为 weekly 或 monthly，period 如 2025-W14、2025-03；尚未发布的为预览。",
)
def read_circular(session: Reads, now: Now, kind: Word, period: Word, plan: PlanCode = None) -> Circular:
    """``issued_on`` is null for a preview."""
    return opened_circular(session, plan, kind, period, now).circular
