"""发件箱: what has not arrived and why, and sending it again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator, Field

from api.dependencies import Acting, MaybePlan, Now, PlanCode, Reads, UnitCode, Writes, empty_is_none
from api.guard import Guarded
from api.pages import address, page, plan_page
from api.routes.item import PageNumber, Word
from api.telling import KIND_NAMES, TONES
from api.ways import Ways
from ledger import outbox, plans
from ledger.act_messages import KIND as ACT
from ledger.acts import Actor
from ledger.database import Session
from ledger.queries.outcomes import ANSWER, OUTCOME_NAMES, Outcome
from ledger.queries.undelivered import PILE_NAMES, Pile, undelivered_page
from ledger.resending import resend_dead
from policy_models.errors import NotResponsible
from policy_models.quiet_hours import next_opening

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_ROWS = 50
Id = Annotated[int, Path(ge=1, le=2**62)]
Ticked = Annotated[list[Annotated[int, Field(ge=1, le=2**62)]], Form()]


@router.get("/messages")
def show_messages(
    session: Reads,
    reading: MaybePlan,
    ways: Ways,
    pile: Annotated[Pile | None, BeforeValidator(empty_is_none), Query()] = None,
    channel: Word = None,
    outcome: Annotated[Outcome | None, BeforeValidator(empty_is_none), Query()] = None,
    number: PageNumber = None,
    sent: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """One pile: as asked for, else the first that holds something."""
    if reading is None:
        return page("empty.html", {})
    skip = ((number or 1) - 1) * PAGE_ROWS
    shown = Pile.WAITING if outcome else pile
    found = undelivered_page(
        session, reading, ways.sending, shown, channel=channel, outcome=outcome, skip=skip, limit=PAGE_ROWS
    )
    context = {
        "here": "reminders",
        "found": found,
        "channel": channel,
        "outcome": outcome,
        "kept": {"pile": found.pile, "channel": channel, "outcome": outcome},
        "number": number or 1,
        "skip": skip,
        "sent": sent,
        "desk": address_of(reading.summary.coordinator),
        "piles": PILE_NAMES,
        "kinds": KIND_NAMES | {ANSWER: "来信回执", ACT: "办理动态"},
        "outcomes": OUTCOME_NAMES,
        "tones": TONES,
        "way": ways.name,
        "ways_fault": ways.fault,
        "opens_at": next_opening(reading.now, reading.calendars.work, ways.sending.hours),
    }
    return plan_page("messages.html", reading, plans.plans(session), context)


def address_of(code: str) -> str:
    """Where a coordinator acts on the outbox."""
    return f"/units/{quote(code, safe='-')}/messages"


@router.post("/units/{code}/messages/{message_id}/resend")
def resend(session: Writes, now: Now, by: Acting, code: UnitCode, message_id: Id, plan: PlanCode = None) -> Response:
    """Have one message sent again that is dead, or that may have arrived."""
    _require_coordinator(session, by)
    outbox.resend(session, message_id, by=by.name, now=now)
    return RedirectResponse(address("/messages", sent=1, plan=plan), 303)


@router.post("/units/{code}/messages/resend")
def resend_ticked(
    session: Writes,
    now: Now,
    by: Acting,
    code: UnitCode,
    pick: Ticked = [],  # noqa: B006
    plan: PlanCode = None,
) -> Response:
    """Have the dead messages that are ticked sent again, all or none."""
    _require_coordinator(session, by)
    done = resend_dead(session, pick, by=by, now=now)
    return RedirectResponse(address("/messages", sent=done, plan=plan), 303)


def _require_coordinator(session: Session, by: Actor) -> None:
    if by.unit not in {one.coordinator for one in plans.plans(session)}:
        raise NotResponsible("发件箱由统筹单位管理，您的单位不能重新发送")
