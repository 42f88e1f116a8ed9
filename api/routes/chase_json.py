"""催办 by JSON: what would be sent is seen first; then what was sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.answers_acts import ChasedOut, ChasedUnitOut, ChaseMessageOut, ChasePreviewOut, ChaseSentOut, PassedOut
from api.bodies_acts import ChaseIn
from api.dependencies import Deployed, Ledger, Now, Reads, UnitCode, acting
from api.desk import Today
from api.json_route import ApiRoute
from api.routes.chase import send_chase
from ledger import chasing
from ledger.chasing import ChasedUnit, Passed
from ledger.queries.chases import chase_sent
from ledger.queries.units import unit_row
from ledger.settings import LadderSettings
from notifications.render import render

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["催办"])
Batch = Annotated[int, Path(ge=1, le=2**62, description="催办编号")]
DESK = "/units/{code}/chase"


@router.post(DESK + "/preview", summary="催办预览", description="将向哪些单位发送什么、哪些不催办；不发送。")
def preview(session: Reads, now: Now, deployed: Deployed, code: UnitCode, given: ChaseIn) -> ChasePreviewOut:
    by = acting(session, now, code, given.by_name)
    hours, words = LadderSettings.load().open_hours, " ".join(given.words.split())
    found = chasing.preview(session, list(dict.fromkeys(given.keys)), by=by, now=now, words=words, hours=hours)
    first = render("chase", found.units[0].notice, base_url=deployed.base_url) if found.units else None
    return ChasePreviewOut(
        units=[_unit(one) for one in found.units],
        passed=[_passed(one) for one in found.passed],
        goes_out_at=found.goes_out_at,
        subject=first.subject if first else None,
        body=first.body if first else None,
    )


@router.post(
    DESK, summary="催办", description="向报送单位发送催办；同一事项一天只催办一次，重复提交答同一编号而不再发送。"
)
def send(database: Ledger, now: Now, code: UnitCode, given: ChaseIn) -> ChasedOut:
    with database.read() as session:
        by = acting(session, now, code, given.by_name)
    keys = list(dict.fromkeys(given.keys))
    done = send_chase(database, keys, by, now, given.words, given.principals)
    passed = [_passed(one) for one in done.passed]
    return ChasedOut(batch=done.batch, items=done.items, messages=done.messages, passed=passed)


@router.get(DESK + "/{batch}", summary="一次催办", description="一次催办产生的消息及其现状。")
def read_sent(session: Reads, reading: Today, code: UnitCode, batch: Batch) -> ChaseSentOut:
    found = chase_sent(session, reading.plan_id, unit_row(session, code).code, batch)
    messages = [ChaseMessageOut.model_validate(one) for one in found.messages]
    return ChaseSentOut(by_name=found.by_name, at=found.at, note=found.note, items=found.items, messages=messages)


def _unit(one: ChasedUnit) -> ChasedUnitOut:
    keys = [line.key for line in one.notice.lines]
    return ChasedUnitOut(unit=one.code, name=one.name, keys=keys, people=list(one.people), told_at=one.told_at)


def _passed(one: Passed) -> PassedOut:
    return PassedOut.model_validate(one)
