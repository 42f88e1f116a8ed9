"""日历订阅 by JSON: a unit's subscriptions without their addresses; a new address is answered once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.answers_acts import FeedOut, FeedsOut, NewFeedOut
from api.bodies_acts import FeedIn, NothingIn
from api.dependencies import Deployed, Now, Reads, UnitCode, Writes, acting, open_reading
from api.json_route import ApiRoute
from api.routes.subscribe import offers_of
from api.subscribing import Options, links, target_of
from ledger import feed_tokens
from ledger.database import Session
from ledger.feed_tokens import FeedToken
from ledger.queries.units import unit_row
from policy_models.errors import NotFound

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["日历订阅"])
Id = Annotated[int, Path(ge=1, le=2**62, description="订阅编号")]
LIST = "/units/{code}/feeds"
NAMES = tuple(FeedOut.model_fields)


@router.get(LIST, summary="日历订阅", description="一个单位的订阅；地址只在建立和更换时答复一次。")
def list_feeds(session: Reads, code: UnitCode) -> FeedsOut:
    found = feed_tokens.listing(session, unit_row(session, code).code)
    return FeedsOut(feeds=[FeedOut(**_facts(one)) for one in found])


@router.post(LIST, summary="新建日历订阅", description="建立一个订阅地址；地址即钥匙，请勿写入日志。")
def create(session: Writes, now: Now, deployed: Deployed, code: UnitCode, given: FeedIn) -> NewFeedOut:
    acting(session, now, code)
    own, reading = unit_row(session, code), open_reading(session, None, as_of=None, now=now)
    target = target_of(offers_of(session, reading, own), given.scope, given.target)
    token = feed_tokens.create(session, own.code, given.name, now, scope=given.scope, target=target)
    options = Options(given.alarm, given.kind, given.open_only, given.holidays)
    return _fresh(session, deployed.base_url, token, options)


@router.post(LIST + "/{id}/rotate", summary="更换订阅地址", description="同一订阅换一个新地址，旧地址随即停用。")
def rotate(session: Writes, now: Now, deployed: Deployed, code: UnitCode, id: Id, given: NothingIn) -> NewFeedOut:
    acting(session, now, code, given.by_name)
    return _fresh(session, deployed.base_url, feed_tokens.rotate(session, code, id, now), Options())


@router.post(LIST + "/{id}/revoke", summary="停用日历订阅", description="停用一个订阅地址。")
def revoke(session: Writes, now: Now, code: UnitCode, id: Id, given: NothingIn) -> FeedOut:
    acting(session, now, code, given.by_name)
    feed_tokens.revoke(session, code, id, now)
    found = next((one for one in feed_tokens.listing(session, code) if one.id == id), None)
    if found is None:
        raise NotFound("本单位没有这个日历订阅")
    return FeedOut(**_facts(found))


def _facts(one: FeedToken) -> dict[str, object]:
    return {name: getattr(one, name) for name in NAMES}


def _fresh(session: Session, base_url: str, token: str, options: Options) -> NewFeedOut:
    made, record = links(base_url, token, options), feed_tokens.look_up(session, token)
    if record is None:
        raise RuntimeError("a token just made is not in the ledger")
    return NewFeedOut(**_facts(record), url=made.https, webcal=made.webcal)
