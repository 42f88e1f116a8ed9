"""订阅日历: choosing what to subscribe to, the secret address (shown once), and the list of a unit's subscriptions."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.calendar_clients import client_name
from api.dependencies import Deployed, Now, Reads, UnitCode, Writes, open_reading, printable
from api.guard import Guarded
from api.pages import page, plan_page
from api.qr import qr_svg
from api.subscribing import ALARMS, KINDS, Offer, Options, is_loopback, links, offers, scope_name, target_of
from ledger import feed_tokens, people, plans
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries import units
from ledger.queries.reading import Reading
from policy_models.errors import NotResponsible
from policy_models.plan import Level

router = APIRouter(route_class=Guarded, include_in_schema=False)
TokenId = Annotated[int, Path(ge=1, le=2**62)]
Chosen = Annotated[str, BeforeValidator(printable), Form(max_length=40)]
NO_REFERRER = {"Referrer-Policy": "no-referrer"}  # the page's own address is harmless, the links on it are secret


def chosen_options(
    alarm: Chosen = "0",
    kind: Chosen = "event",
    open_only: Annotated[str, Form(alias="open", max_length=8)] = "",
    holidays: Annotated[str, Form(max_length=8)] = "",
) -> Options:
    if alarm not in ALARMS or kind not in KINDS:
        raise HTTPException(422, "没有这种提醒或类型，请从列出的选项中选择")
    return Options(alarm, kind, open_only == "1", holidays == "1")


ChosenOptions = Annotated[Options, Depends(chosen_options)]


@router.get("/units/{code}/subscribe")
def show_subscribe(session: Reads, now: Now, deployed: Deployed, code: UnitCode) -> Response:
    """The choice, the unit's subscriptions, and the steps in each calendar program."""
    own = units.unit_row(session, code)
    reading = open_reading(session, None, as_of=None, now=now)
    offered = offers_of(session, reading, own)
    tokens = feed_tokens.listing(session, own.code)
    context = {
        "here": "units",
        "unit": own,
        "closed": own.is_closed(civil_date(now)),
        "offered": offered,
        "alarms": ALARMS,
        "kinds": KINDS,
        "running": [one for one in tokens if not one.revoked_at],
        "stopped": [one for one in tokens if one.revoked_at],
        "client_name": client_name,
        "scope_name": lambda one: scope_name(one.scope, one.target, offered),
        "only_here": is_loopback(deployed.base_url),
    }
    return _shown("subscribe.html", session, reading, context)


@router.post("/units/{code}/feeds")
def subscribe(
    session: Writes,
    now: Now,
    deployed: Deployed,
    code: UnitCode,
    options: ChosenOptions,
    name: Annotated[str, Form(max_length=200)] = "",
    scope: Chosen = "unit",
    below: Chosen = "",
    function: Chosen = "",
    person: Chosen = "",
    task: Chosen = "",
    phase: Chosen = "",
) -> Response:
    """Make a secret address and show it, once."""
    own = units.unit_row(session, code)
    if own.is_closed(civil_date(now)):
        raise NotResponsible(f"{own.name}已停用，不能新建订阅")
    if not name.strip():
        raise HTTPException(422, "请填写用途名称，便于以后停用时辨认")
    reading = open_reading(session, None, as_of=None, now=now)
    offered = offers_of(session, reading, own)
    chosen = {"below": below, "function": function, "person": person, "task": task, "phase": phase}
    target = target_of(offered, scope, chosen.get(scope, ""))
    token = feed_tokens.create(session, own.code, name, now, scope=scope, target=target)
    return _address(session, reading, own, deployed.base_url, token, options)


@router.post("/units/{code}/feeds/{token_id}/rotate")
def rotate(
    session: Writes, now: Now, deployed: Deployed, code: UnitCode, token_id: TokenId, options: ChosenOptions
) -> Response:
    """A new address for the same subscription; the old one stops and shows a notice for a while."""
    own = units.unit_row(session, code)
    token = feed_tokens.rotate(session, own.code, token_id, now)
    reading = open_reading(session, None, as_of=None, now=now)
    return _address(session, reading, own, deployed.base_url, token, options, replaces=True)


@router.post("/units/{code}/feeds/{token_id}/revoke")
def unsubscribe(session: Writes, now: Now, code: UnitCode, token_id: TokenId) -> Response:
    feed_tokens.revoke(session, code, token_id, now)
    return RedirectResponse(f"/units/{quote(code, safe='-')}/subscribe#running", 303)


def offers_of(session: Session, reading: Reading | None, own: units.UnitRow) -> tuple[Offer, ...]:
    staff = people.people_of(session, own.code)
    plan, areas = reading.plan if reading else None, None
    if reading and own.code == reading.summary.coordinator:
        tops = [one for one in units.upper_units(session) if one.level is not Level.TOWNSHIP and not one.function]
        areas = {one.code: one.name for one in tops}
    return offers(own, plan, staff, has_below=units.has_below(session, own.code), areas=areas)


def _address(
    session: Session,
    reading: Reading | None,
    own: units.UnitRow,
    base_url: str,
    token: str,
    options: Options,
    *,
    replaces: bool = False,
) -> Response:
    made, record = links(base_url, token, options), feed_tokens.look_up(session, token)
    if record is None:
        raise RuntimeError("a token just made is not in the ledger")
    context = {
        "here": "units",
        "unit": own,
        "content": scope_name(record.scope, record.target, offers_of(session, reading, own)),
        "name": record.name,
        "replaces": replaces,
        "links": made,
        "qr": qr_svg(made.webcal, "订阅地址的二维码"),
        "options": options,
        "alarms": ALARMS,
        "kinds": KINDS,
    }
    return _shown("subscribed.html", session, reading, context)


def _shown(template: str, session: Session, reading: Reading | None, context: dict[str, object]) -> Response:
    if reading is None:
        return page(template, context, headers=NO_REFERRER)
    return plan_page(template, reading, plans.plans(session), context, headers=NO_REFERRER)
