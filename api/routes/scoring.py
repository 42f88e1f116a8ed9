"""盲评: a reviewer's own pages under a secret link; the coordinator names reviewers and closes the panel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.dependencies import (
    Acting,
    Deployed,
    Files,
    Now,
    OpenPlan,
    Reads,
    Writes,
    empty_is_none,
    printable,
)
from api.exemplar_form import LongWords, RowId, ShortWords, Version, shortlist_path
from api.guard import Guarded
from api.masks import blind, mask_of
from api.misses import Misses
from api.pages import address, page, plan_page
from api.routes.files import SAFE, kind_of
from ledger import panels, plans, screenings
from ledger.database import Session
from ledger.exemplar_rows import Exemplar, pictures_of
from ledger.panels import Panelist
from ledger.queries import exemplars as reads
from ledger.queries import scoring as scores
from ledger.queries.reading import Reading, open_plan
from policy_models.errors import ChangedMeanwhile, Faulty, LuchengError, NotFound, PrivacyBlocked
from policy_models.exemplars import SENT
from policy_models.files import MEDIA_TYPES
from policy_models.masking import masked
from policy_models.scoring import own_order
from policy_models.text import normalize_digits

router = APIRouter(route_class=Guarded, include_in_schema=False)
Token = Annotated[str, Path(max_length=200)]
RoundField = Annotated[str, BeforeValidator(printable), Form(alias="round", max_length=12)]
UnitField = Annotated[str | None, BeforeValidator(empty_is_none), BeforeValidator(printable), Form(max_length=24)]
NOT_YOURS = "这篇案例不在您的评审之中，可能已被撤回，请从评审首页重新进入"
NO_LINK = "这个评审链接不存在或已停用，请向组织评审的单位索取新的链接。"
TOO_MANY = "查询过于频繁，请一分钟后再试。"
# The address is the key: it must not be found, kept or handed on.
SECRET = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}


@router.get("/scoring/{token}")
def show_all(request: Request, session: Reads, now: Now, token: Token) -> Response:
    """What there is to score, in this reviewer's own order."""
    scorer = _scorer(request, session, now, token)
    reading, mine = _opened(session, scorer, now)
    given = scores.own_scores(session, scorer.id, mine)
    around = scores.neighbours(session, mine)
    titles = {one.id: masked(one.content.title, mask_of(one, around, reading.plan.organs)) for one in mine}
    done = [one for one in mine if one.id in given and not given[one.id].stale]
    context = {
        "scorer": scorer,
        "reading": reading,
        "mine": mine,
        "given": given,
        "titles": titles,
        "done": len(done),
        "running": scores.is_running(session, scorer.plan_id, scorer.round_code),
        "path": f"/scoring/{token}",
        "one": None,
    }
    return page("scoring.html", context, headers=SECRET)


@router.get("/scoring/{token}/{exemplar_id}")
def show_one(request: Request, session: Reads, now: Now, token: Token, exemplar_id: RowId) -> Response:
    """One exemplar without the names of units and places, and the form beside it."""
    scorer = _scorer(request, session, now, token)
    return _one(session, now, scorer, token, exemplar_id)


@router.get("/scoring/{token}/{exemplar_id}/pictures/{picture_id}")
def show_picture(
    request: Request, session: Reads, store: Files, now: Now, token: Token, exemplar_id: RowId, picture_id: RowId
) -> Response:
    """A picture of an exemplar that this reviewer has to score, as others than its unit see it. Nothing tells its name."""
    _, mine = _opened(session, _scorer(request, session, now, token), now)
    if exemplar_id not in {one.id for one in mine}:
        raise NotFound(NOT_YOURS)
    picture = next((one for one in pictures_of(session, [exemplar_id])[exemplar_id] if one.id == picture_id), None)
    if picture is None:
        raise NotFound(NOT_YOURS)
    data = store.get(picture.shown)
    headers = {**SAFE, **SECRET, "Cache-Control": "private, no-cache"}
    return Response(data, media_type=MEDIA_TYPES[kind_of(picture.kind, data)], headers=headers)


@router.post("/scoring/{token}/{exemplar_id}")
def give(
    request: Request,
    session: Writes,
    now: Now,
    token: Token,
    exemplar_id: RowId,
    version: Version,
    points: Annotated[str, Form(max_length=20)] = "",
    comment: LongWords = "",
) -> Response:
    """Keep the score, and go on to the next that has none."""
    scorer = _scorer(request, session, now, token)
    try:
        panels.give(session, scorer, exemplar_id, _points(points), comment, version=version, now=now)
    except (Faulty, PrivacyBlocked, ChangedMeanwhile) as error:
        if isinstance(error, PrivacyBlocked):
            findings, place = error.findings, error.place
            screenings.record(session, place, "blocked", findings, sha256=error.sha256, by_unit="", now=now)
        return _one(session, now, scorer, token, exemplar_id, told=error, typed=(points, comment))
    _, mine = _opened(session, scorer, now)
    given = scores.own_scores(session, scorer.id, mine)
    left = [one.id for one in mine if one.id not in given or given[one.id].stale]
    return RedirectResponse(f"/scoring/{token}/{left[0]}" if left else f"/scoring/{token}", 303, SECRET)


def _points(text: str) -> int:
    """A whole number as people write it. Anything else is outside what is allowed, and told so by the verb."""
    plain = normalize_digits(text.strip().removesuffix("分").strip())
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 4 else -1


def _one(
    session: Session,
    now: datetime,
    scorer: Panelist,
    token: str,
    exemplar_id: int,
    *,
    told: LuchengError | None = None,
    typed: tuple[str, str] | None = None,
) -> Response:
    reading, mine = _opened(session, scorer, now)
    place = next((n for n, one in enumerate(mine) if one.id == exemplar_id), None)
    if place is None:
        raise NotFound(NOT_YOURS)
    one = mine[place]
    words = mask_of(one, scores.neighbours(session, [one]), reading.plan.organs)
    title, parts = blind(one.content, words)
    own = scores.own_scores(session, scorer.id, [one]).get(one.id)
    pictures = [(picture, masked(picture.caption, words)) for picture in pictures_of(session, [one.id])[one.id]]
    context = {
        "scorer": scorer,
        "reading": reading,
        "one": one,
        "number": place + 1,
        "total": len(mine),
        "before": mine[place - 1].id if place else None,
        "after": mine[place + 1].id if place + 1 < len(mine) else None,
        "title": title,
        "parts": parts,
        "pictures": pictures,
        "own": own,
        "typed": typed or ((str(own.points), own.comment) if own else ("", "")),
        "told": str(told) if told else "",
        "running": scores.is_running(session, scorer.plan_id, scorer.round_code),
        "path": f"/scoring/{token}",
    }
    status = 200 if told is None else 409 if isinstance(told, ChangedMeanwhile) else 422
    return page("scoring.html", context, status=status, headers=SECRET)


def _scorer(request: Request, session: Session, now: datetime, token: str) -> Panelist:
    """Raises 404 for an unknown or dead link, 429 for an address that tries too many."""
    found = panels.look_up(session, token)
    if found is None:
        misses: Misses = request.app.state.misses
        if misses.too_many(request.client.host if request.client else "", now):
            raise HTTPException(429, TOO_MANY, {"Retry-After": "60", **SECRET})
        raise HTTPException(404, NO_LINK, SECRET)
    return found


def _opened(session: Session, scorer: Panelist, now: datetime) -> tuple[Reading, list[Exemplar]]:
    """The plan, and what this reviewer has to score, in an order of their own."""
    summary = next(one for one in plans.plans(session) if one.id == scorer.plan_id)
    reading = open_plan(session, summary.code, as_of=None, now=now)
    if reading is None:
        raise NotFound(NO_LINK)
    found = reads.listing(session, scorer.plan_id, scorer.round_code)
    mine = {one.id: one for one in found if one.state in SENT and one.unit != scorer.unit}
    return reading, [mine[id] for id in own_order(scorer.id, mine)]


@router.post("/units/{code}/panelists")
def appoint(
    session: Writes,
    reading: OpenPlan,
    deployed: Deployed,
    by: Acting,
    round: RoundField = "",
    name: ShortWords = "",
    unit: UnitField = None,
) -> Response:
    """Name a reviewer and show the secret link, once."""
    if round not in {code for code, _ in reads.rounds_of(session, reading.plan_id)}:
        raise NotFound(f"没有“{round}”这一期，请从列表中选择")
    token = panels.appoint(session, reading.summary.code, round, name, unit, by=by, now=reading.now)
    return _link_shown(session, reading, deployed.base_url, by.unit, name, round, token)


@router.post("/units/{code}/panelists/{panelist_id}")
def change(
    session: Writes,
    reading: OpenPlan,
    deployed: Deployed,
    by: Acting,
    panelist_id: RowId,
    action: Annotated[str, Form(max_length=12)] = "",
) -> Response:
    """``action``: renew (a new link, the old one is dead) or revoke."""
    found = panels.panelist_row(session, panelist_id)
    if action == "renew":
        token = panels.renew(session, panelist_id, by=by)
        return _link_shown(session, reading, deployed.base_url, by.unit, found.name, found.round_code, token)
    if action != "revoke":
        raise HTTPException(422, "没有这种操作，请从页面重新选择")
    panels.revoke(session, panelist_id, by=by, now=reading.now)
    return _back(by.unit, found.round_code, reading)


@router.post("/units/{code}/panel/close")
def close(session: Writes, reading: OpenPlan, by: Acting, round: RoundField = "") -> Response:
    panels.close(session, reading.summary.code, round, by=by, now=reading.now)
    return _back(by.unit, round, reading)


def _back(coordinator: str, round: str, reading: Reading) -> Response:
    return RedirectResponse(
        f"{address(shortlist_path(coordinator), round=round, plan=reading.summary.code)}#panel", 303
    )


def _link_shown(
    session: Session, reading: Reading, base: str, coordinator: str, name: str, round: str, token: str
) -> Response:
    context = {
        "here": "exemplars",
        "name": name,
        "round": round,
        "address_shown": f"{base.rstrip('/')}/scoring/{token}",
        "back": f"{address(shortlist_path(coordinator), round=round, plan=reading.summary.code)}#panel",
    }
    return plan_page("scoring_link.html", reading, plans.plans(session), context, headers=SECRET)
