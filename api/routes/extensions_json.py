"""延期 by JSON: what a unit asked for and what waits for its decision; asking, taking back, granting, refusing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.answers_items import ExtensionOut, ExtensionsOut
from api.bodies import ExtendIn, GrantIn, ReasonIn
from api.bodies_acts import NothingIn
from api.dependencies import Now, Reads, UnitCode, Writes, acting
from api.desk import Today
from api.json_route import ApiRoute
from api.routes.items_json import Key
from ledger import extensions

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["延期"])
Id = Annotated[int, Path(ge=1, le=2**62, description="申请编号")]
ONE = "/units/{code}/extensions/{id}"


def _answer(session: Reads, id: int) -> ExtensionOut:
    return ExtensionOut.model_validate(extensions.read(session, id))


@router.get(
    "/units/{code}/extensions",
    summary="延期申请",
    description="等待这个单位审批的申请（最早的在前）和它自己提出的申请（最新的在前），各最多 200 份。",
)
def list_extensions(session: Reads, reading: Today, code: UnitCode) -> ExtensionsOut:
    waiting = extensions.to_decide(session, reading.plan_id, code)
    own = extensions.requested_by(session, reading.plan_id, code)
    return ExtensionsOut(
        waiting=[ExtensionOut.model_validate(one) for one in waiting],
        own=[ExtensionOut.model_validate(one) for one in own],
    )


@router.post(
    "/units/{code}/items/{key}/extensions",
    summary="申请延期",
    description="时限之前申请延期；须写明理由，由审核单位审批。",
)
def request(session: Writes, now: Now, code: UnitCode, key: Key, given: ExtendIn) -> ExtensionOut:
    by = acting(session, now, code, given.by_name)
    return _answer(session, extensions.request(session, key, wanted=given.wanted, reason=given.reason, by=by, now=now))


@router.post(ONE + "/withdraw", summary="撤回延期申请", description="审批之前撤回申请。")
def withdraw(session: Writes, now: Now, code: UnitCode, id: Id, given: NothingIn) -> ExtensionOut:
    extensions.withdraw(session, id, by=acting(session, now, code, given.by_name), now=now)
    return _answer(session, id)


@router.post(ONE + "/grant", summary="同意延期", description="同意申请的日期，或较早的日期；办理件的时限随之改变。")
def grant(session: Writes, now: Now, code: UnitCode, id: Id, given: GrantIn) -> ExtensionOut:
    by = acting(session, now, code, given.by_name)
    extensions.grant(session, id, by=by, now=now, until=given.until, note=given.note)
    return _answer(session, id)


@router.post(ONE + "/refuse", summary="不同意延期", description="不同意申请，理由告知申请单位。")
def refuse(session: Writes, now: Now, code: UnitCode, id: Id, given: ReasonIn) -> ExtensionOut:
    by = acting(session, now, code, given.by_name)
    extensions.refuse(session, id, by=by, now=now, reason=given.reason)
    return _answer(session, id)
