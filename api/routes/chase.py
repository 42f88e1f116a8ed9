"""催办 by hand: the message is seen before it is sent; then what was sent, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator, StringConstraints

from api.dependencies import Acting, Deployed, Ledger, Now, PlanCode, Reads, UnitCode, acting, printable
from api.desk import Today, present
from api.guard import Guarded
from api.pages import address, plan_page
from api.routes.item import Word
from api.routes.register import Asked as Filtered
from api.routes.review import note_blocked
from api.ways import Ways
from ledger import chasing, plans
from ledger.acts import Actor
from ledger.chasing import LONGEST, Chased, Preview
from ledger.database import Database, Session
from ledger.queries.chases import chase_sent, chaseable, overdue
from ledger.queries.reading import Reading
from ledger.queries.units import unit_names, unit_row
from ledger.settings import LadderSettings, Settings
from notifications.render import render
from policy_models.delivery import MESSAGE_STATE_NAMES
from policy_models.errors import ActNotAllowed, ChangedMeanwhile, LuchengError, NotFound, PrivacyBlocked

router = APIRouter(route_class=Guarded, include_in_schema=False)
TRIES = 3  # of a sending that met another at the same instant
NAMED_LEFT = 20  # items left out that the address of the result can name
LONGEST_KEYS = 300_000  # characters: MOST keys and more
One = Annotated[str, StringConstraints(max_length=120), BeforeValidator(printable)]
Keys = Annotated[list[One], Query(max_length=100)]
Picked = Annotated[list[str], Form()]
Joined = Annotated[str, Form(max_length=LONGEST_KEYS)]
Typed = Annotated[str, Form(max_length=2000)]
Switch = Annotated[Literal["on", ""], Form()]
Batch = Annotated[int, Path(ge=1, le=2**62)]


def chase_path(code: str) -> str:
    return f"/units/{quote(code, safe='-')}/chase"


@router.get("/units/{code}/chase")
def show_preview(
    session: Reads,
    reading: Today,
    now: Now,
    deployed: Deployed,
    code: UnitCode,
    key: Keys = [],  # noqa: B006
    late: Annotated[Literal["on", ""], Query()] = "",
    unit: Word = None,
) -> Response:
    """These items, or (``late``) all that is overdue with the units below, or with one of them."""
    by = acting(session, now, code)
    found = overdue(session, reading, by.unit, unit_code=unit) if late else None
    keys = found.keys if found else tuple(key)
    if found and not keys:
        whose = unit_names(session, frozenset({unit}))[unit] if unit else "下级单位"
        return _nothing_page(session, reading, by, f"{whose}目前没有逾期未报送的事项，不需要催办")
    total = found.total if found else len(keys)
    return _page(session, reading, deployed, by, keys, total=total)


@router.post("/units/{code}/chase/preview")
def preview_chosen(
    session: Reads,
    now: Now,
    deployed: Deployed,
    by: Acting,
    filtered: Filtered,
    pick: Picked = [],  # noqa: B006
    keys: Joined = "",
    which: Annotated[Literal["picked", "all"], Form()] = "picked",
    words: Typed = "",
    principals: Switch = "",
    plan: PlanCode = None,
) -> Response:
    """What was ticked on another page, or (``which``) all that its filter has, or the same again with words. Nothing is
    sent."""
    reading = present(session, plan, now)
    if which == "all":
        found = chaseable(session, reading, by.unit, filtered[0])
        if not found.keys:
            return _nothing_page(session, reading, by, "符合条件的事项目前都不需要催办")
        return _page(session, reading, deployed, by, found.keys, total=found.total)
    return _page(session, reading, deployed, by, _chosen(pick, keys), words=words, principals=bool(principals))


@router.post("/units/{code}/chase")
def send(
    database: Ledger,
    now: Now,
    deployed: Deployed,
    by: Acting,
    keys: Joined = "",
    words: Typed = "",
    principals: Switch = "",
    plan: PlanCode = None,
) -> Response:
    """Queue the messages; what is refused is told on the same page, with what was typed."""
    chosen = _chosen((), keys)
    try:
        done = send_chase(database, chosen, by, now, words, bool(principals))
    except (ActNotAllowed, PrivacyBlocked) as error:
        note_blocked(database, error, by=by, now=now)
        with database.read() as session:
            reading = present(session, plan, now)
            typed = {"words": words, "principals": bool(principals), "fault": error}
            return _page(session, reading, deployed, by, chosen, **typed)  # type: ignore[arg-type]
    if done.batch is None:
        with database.read() as session:
            return _page(session, present(session, plan, now), deployed, by, chosen)
    left = [one.key for one in done.passed]
    told = {"left": left[:NAMED_LEFT], "more": max(0, len(left) - NAMED_LEFT) or None, "plan": plan}
    told |= {"again": None if done.items else "on"}
    return RedirectResponse(address(f"{chase_path(by.unit)}/{done.batch}", **told), 303)


@router.get("/units/{code}/chase/{batch}")
def show_sent(
    session: Reads,
    reading: Today,
    ways: Ways,
    now: Now,
    code: UnitCode,
    batch: Batch,
    left: Keys = [],  # noqa: B006
    more: Annotated[int, Query(ge=0, le=100_000)] = 0,
    again: Annotated[Literal["on", ""], Query()] = "",
) -> Response:
    own = unit_row(session, code)
    context = {
        "here": "units",
        "unit": own,
        "batch": batch,
        "sent": chase_sent(session, reading.plan_id, own.code, batch),
        "passed": chasing.preview(session, left, by=Actor(own.code, ""), now=now).passed if left else (),
        "more": more,
        "again": bool(again),
        "way": ways.name,
        "message_states": MESSAGE_STATE_NAMES,
    }
    return plan_page("chased.html", reading, plans.plans(session), context)


def _chosen(pick: Sequence[str], keys: str) -> tuple[str, ...]:
    """The keys that a form sends, ticked one by one or joined by blanks; each once. Raises NotFound for nonsense."""
    found = tuple(dict.fromkeys([*pick, *keys.split()]))
    if any(len(one) > 120 or not one.isprintable() for one in found):
        raise NotFound("选择的内容不完整，请刷新页面后重新选择")
    return found


def send_chase(
    database: Database, keys: Sequence[str], by: Actor, now: datetime, words: str, principals: bool
) -> Chased:
    """Try again when another sending came in at the same instant: the second reading knows what was told."""
    for left in reversed(range(TRIES)):
        try:
            with database.write() as session:
                return chasing.chase(session, keys, by=by, now=now, words=words, principals=principals)
        except ChangedMeanwhile:
            if not left:
                raise
    raise AssertionError("every try either returns or raises")


def _page(
    session: Session,
    reading: Reading,
    deployed: Settings,
    by: Actor,
    keys: Sequence[str],
    *,
    words: str = "",
    principals: bool = False,
    fault: LuchengError | None = None,
    total: int = 0,
) -> Response:
    hours = LadderSettings.load().open_hours
    found = chasing.preview(session, keys, by=by, now=reading.now, words=" ".join(words.split()), hours=hours)
    first = found.units[0].notice if found.units else None
    context = {
        "here": "units",
        "unit": unit_row(session, by.unit),
        "found": found,
        "message": render("chase", first, base_url=deployed.base_url) if first else None,
        "typed": words,
        "longest": LONGEST,
        "principals": principals,
        "fault": fault,
        "unshown": max(0, total - len(keys)),
        "back": _back(by, found),
        "closed": found.goes_out_at > reading.now,
    }
    status = 200 if fault is None else 409 if isinstance(fault, ActNotAllowed) else 422
    return plan_page("chase.html", reading, plans.plans(session), context, status=status)


def _nothing_page(session: Session, reading: Reading, by: Actor, sentence: str) -> Response:
    context = {"here": "units", "unit": unit_row(session, by.unit), "sentence": sentence}
    return plan_page("chase_nothing.html", reading, plans.plans(session), context)


def _back(by: Actor, found: Preview) -> str:
    """Where 取消 leads: a single item's page, else the unit's."""
    keys = [*found.keys, *(one.key for one in found.passed)]
    if len(keys) == 1:
        return f"/items/{quote(keys[0], safe=':-._~')}"
    return f"/units/{quote(by.unit, safe='-')}"
