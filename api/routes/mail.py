"""来信: the coordinator's page for what came into the mailbox: drafts to confirm, what nobody could place, what was
refused. Only the plan's coordinator sees and settles letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import RedirectResponse

from api.dependencies import Acting, Files, Ledger, Now, PlanCode, Reads, UnitCode
from api.desk import Today, coordinator_only, present
from api.guard import Guarded
from api.letter_draft import drafted
from api.pages import address, plan_page
from api.routes.review import note_blocked
from ledger import letters, plans
from ledger.acts import Actor
from ledger.database import Database, Session
from ledger.file_store import FileStore
from ledger.files import stored_files
from ledger.queries import letters as queries
from ledger.queries.units import unit_row
from policy_models.errors import (
    ActNotAllowed,
    ChangedMeanwhile,
    EvidenceMissing,
    Faulty,
    PrivacyBlocked,
    ReasonMissing,
)
from policy_models.letters import LETTER_STATE_NAMES, LetterState
from policy_models.reports import WHOLE_NAMES

router = APIRouter(route_class=Guarded, include_in_schema=False)
COORDINATOR_ONLY = "来信由统筹单位办理，其他单位不能查看"
Id = Annotated[int, Path(ge=1, le=2**62)]
Short = Annotated[str, Form(max_length=40)]
Text = Annotated[str, Form(max_length=60_000)]
WAITING = (LetterState.FILED, LetterState.SET_ASIDE)
SETTLED = (LetterState.REFUSED, LetterState.CONFIRMED, LetterState.DISMISSED)
EXPECTED = (ActNotAllowed, ChangedMeanwhile, EvidenceMissing, Faulty, PrivacyBlocked, ReasonMissing)
UNFINISHED = (EvidenceMissing, Faulty, PrivacyBlocked, ReasonMissing)
ANSWER_NAMES = {
    None: "未发回执",
    "pending": "回执待发",
    "claimed": "回执发送中",
    "sent": "已发回执",
    "uncertain": "回执不能确定是否送达",
    "dead": "回执未能送达",
}
TOLD = {
    "confirm": "来信已确认，按收到日期计为已报送",
    "dismiss": "来信已标为不予办理",
    "assign": "来信已归入单位，请核对后确认",
}


def mail_path(code: str, letter_id: int | None = None) -> str:
    path = f"/units/{quote(code, safe='-')}/mail"
    return path if letter_id is None else f"{path}/{letter_id}"


@router.get("/units/{code}/mail")
def show_mail(
    session: Reads, reading: Today, code: UnitCode, told: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What waits, then what was refused or settled."""
    coordinator_only(reading, code, COORDINATOR_ONLY)
    waiting = queries.letters(session, reading.plan_id, WAITING)
    context = {
        **_shared(session, code),
        "filed": [one for one in waiting if one.state is LetterState.FILED],
        "aside": [one for one in waiting if one.state is LetterState.SET_ASIDE],
        "settled": queries.letters(session, reading.plan_id, SETTLED),
        "counts": queries.letter_counts(session, reading.plan_id),
        "last_read": letters.last_read(session),
        "told": TOLD.get(told, ""),
    }
    return plan_page("mail.html", reading, plans.plans(session), context)


@router.get("/units/{code}/mail/{letter_id}")
def show_letter(
    database: Ledger, now: Now, store: Files, code: UnitCode, letter_id: Id, plan: PlanCode = None
) -> Response:
    return _letter_page(database, store, plan, now, code, letter_id)


def _letter_page(
    database: Database,
    store: FileStore,
    plan: str | None,
    now: datetime,
    code: str,
    letter_id: int,
    *,
    fault: str = "",
    typed: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """One letter, with the report as it was cut; ``typed``: what a person had made of it before it was refused. The
    attachments are read between two transactions, since that may take seconds."""
    with database.read() as session:
        coordinator_only(present(session, plan, now), code, COORDINATOR_ONLY)
        row = queries.letter(session, letter_id)
        kept = stored_files(session, [one.file_id for one in row.kept if one.file_id is not None])
    names = [one.name for one in row.kept]
    draft = drafted(store, list(zip(names, kept, strict=True))) if row.state is LetterState.FILED else None
    with database.read() as session:
        reading = present(session, plan, now)
        context = {
            **_shared(session, code),
            "letter": queries.letter(session, letter_id),
            "draft": draft,
            "texts": typed or (draft.cut.sections if draft else {}),
            "sections": WHOLE_NAMES,
            "owing": queries.owing_units(session, reading.plan_id),
            "rounds": queries.round_codes(session, reading.plan_id),
            "fault": fault,
            "told": "",
        }
        return plan_page("letter.html", reading, plans.plans(session), context, status=status)


def _shared(session: Session, code: str) -> dict[str, object]:
    names = {"state_words": LETTER_STATE_NAMES, "answer_words": ANSWER_NAMES}
    return {"here": "units", "unit": unit_row(session, code), "base": mail_path(code), **names}


@router.post("/units/{code}/mail/{letter_id}/confirm")
def confirm(
    database: Ledger,
    store: Files,
    now: Now,
    by: Acting,
    code: UnitCode,
    letter_id: Id,
    overview: Text = "",
    progress: Text = "",
    highlights: Text = "",
    problems: Text = "",
    next: Text = "",
    plan: PlanCode = None,
) -> Response:
    """Count the letter as the unit's report, handed in on the day it came."""
    given = {
        "overview": overview,
        "progress": progress,
        "highlights": highlights,
        "problems": problems,
        "next": next,
    }
    sections = {name: text for name, text in given.items() if text.strip()}

    def act(session: Session) -> None:
        letters.confirm(session, letter_id, sections, by=by, now=now)

    return _answered(database, store, plan, now, by, letter_id, act, "confirm", typed=given)


@router.post("/units/{code}/mail/{letter_id}/dismiss")
def dismiss(
    database: Ledger,
    store: Files,
    now: Now,
    by: Acting,
    code: UnitCode,
    letter_id: Id,
    reason: Annotated[str, Form(max_length=500)] = "",
    plan: PlanCode = None,
) -> Response:
    """Settle a letter that needs no more, with a reason."""

    def act(session: Session) -> None:
        letters.dismiss(session, letter_id, reason, by=by, now=now)

    return _answered(database, store, plan, now, by, letter_id, act, "dismiss")


@router.post("/units/{code}/mail/{letter_id}/assign")
def assign(
    database: Ledger,
    store: Files,
    now: Now,
    by: Acting,
    code: UnitCode,
    letter_id: Id,
    unit: Short = "",
    round: Short = "",
    remember: Annotated[str, Form(max_length=4)] = "",
    plan: PlanCode = None,
) -> Response:
    """Say whose a letter is and for which round."""

    def act(session: Session) -> None:
        letters.assign(session, letter_id, unit, round, by=by, now=now, remember=remember == "on")

    return _answered(database, store, plan, now, by, letter_id, act, "assign", stay=True)


def _answered(
    database: Database,
    store: FileStore,
    plan: str | None,
    now: datetime,
    by: Actor,
    letter_id: int,
    act: Callable[[Session], None],
    told: str,
    *,
    typed: Mapping[str, str] | None = None,
    stay: bool = False,
) -> Response:
    """Do the act and go back to the list (or ``stay`` at the letter); where it is refused, the letter again with the
    sentence and what was typed."""
    try:
        with database.write() as session:
            act(session)
    except EXPECTED as error:
        note_blocked(database, error, by=by, now=now)
        status = 422 if isinstance(error, UNFINISHED) else 409
        fault = "；".join(str(error).splitlines())
        return _letter_page(database, store, plan, now, by.unit, letter_id, fault=fault, typed=typed, status=status)
    path = mail_path(by.unit, letter_id) if stay else mail_path(by.unit)
    return RedirectResponse(address(path, told=None if stay else told, plan=plan), 303)
