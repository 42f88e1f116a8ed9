"""报送: a unit's page for one item: put together what it wants, hand it in, take it back."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.dependencies import (
    Acting,
    Deployed,
    Now,
    Reads,
    UnitCode,
    Writes,
    acting,
    open_reading,
    printable,
)
from api.guard import Guarded
from api.pages import address, plan_page
from api.sheet import LONGEST_LINK, LONGEST_NOTE, LONGEST_TEXT, Sheet, read
from ledger import drafts, plans, screenings, submissions
from ledger.acts import Actor, Standing
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.evidence import former_counts
from ledger.queries.items import item as item_of
from ledger.queries.units import unit_row
from ledger.used_files import files_of
from policy_models.errors import ActNotAllowed, EvidenceMissing, FileRefused, NotFound, PrivacyBlocked
from policy_models.evidence import TYPE_NAMES
from policy_models.lifecycle import OWED
from policy_models.plan import EvidenceType, Requirement
from policy_models.privacy import KINDS

router = APIRouter(route_class=Guarded, include_in_schema=False)
Key = Annotated[str, BeforeValidator(printable), Path(max_length=120)]
Number = Annotated[int | None, Query(ge=1, lt=2**63)]
FileName = Annotated[str, BeforeValidator(printable), Query(max_length=120)]
Back = Annotated[Literal["desk", ""], Query()]  # where one goes on after handing in: to the desk, else to the item
RECENT = timedelta(days=180)  # files this young are offered for another item
RECENT_SHOWN = 60
FILE_TYPES = (EvidenceType.PHOTO, EvidenceType.SIGN_IN, EvidenceType.DOCUMENT)


async def form_fields(request: Request) -> dict[str, str]:
    """The form's fields, each as one text without control characters; of a repeated one the last."""
    sent = await request.form()
    return {name: _clean(value) for name, value in sent.multi_items() if isinstance(value, str)}


async def chosen_files(request: Request) -> list[int]:
    """The files that were ticked."""
    sent = (await request.form()).getlist("file_id")
    return [int(one) for one in sent if isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 19]


Fields = Annotated[dict[str, str], Depends(form_fields)]
Chosen = Annotated[list[int], Depends(chosen_files)]


@router.get("/units/{code}/submit/{key:path}")
def show_submit(
    session: Reads,
    now: Now,
    settings: Deployed,
    code: UnitCode,
    key: Key,
    removed: Number = None,
    kind: Annotated[EvidenceType | None, Query()] = None,
    called: FileName = "",
    saved: Annotated[str, Query(max_length=1)] = "",
    back: Back = "",
) -> Response:
    """``removed``, ``kind`` and ``called``: a file just taken out, to be put back with one click."""
    item = submissions.owed(session, key, acting(session, now, code))
    undo = {"id": removed, "type": kind, "name": called} if removed and kind and called else None
    return _page(session, now, settings, code, item, undo=undo, saved=saved == "1", back=back)


@router.post("/units/{code}/submit/{key:path}")
def act(
    session: Writes,
    now: Now,
    settings: Deployed,
    by: Acting,
    key: Key,
    fields: Fields,
    chosen: Chosen,
    back: Back = "",
) -> Response:
    """Save what was typed, then do what was asked: save, submit, clear, pick, remove-<piece>; or put_back alone."""
    item = submissions.owed(session, key, by)
    if item.state not in OWED:
        raise ActNotAllowed("这一办理件已报送或已办结，不能再修改材料")
    action = fields.get("action", "save")
    if action == "put_back":  # a form of its own: nothing was typed in it
        _pick(session, now, settings, by, key, fields, chosen)
        return RedirectResponse(f"{address(submit_path(by.unit, key), back=back)}#files", 303)
    requirement = plans.requirement(session, item.plan_code, item.requirement)
    sheet = Sheet.of_form(fields, requirement)
    found = read(sheet, requirement, civil_date(now))
    if found.faults:
        told = {"faults": found.faults, "told": "请核对标出的内容"}
        return _page(session, now, settings, by.unit, item, sheet=sheet, back=back, **told)  # type: ignore[arg-type]
    try:
        drafts.write_words(session, key, found.evidence, by=by, now=now)
        drafts.date_files(session, key, dict(found.days), by=by)
        return _acted(session, now, settings, by, key, action, found.note, fields, chosen, back)
    except PrivacyBlocked as error:
        screenings.record(
            session, error.place, "blocked", error.findings, sha256=error.sha256, by_unit=by.unit, now=now
        )
        return _page(session, now, settings, by.unit, item, sheet=sheet, told=str(error), back=back)
    except (EvidenceMissing, FileRefused) as error:
        return _page(session, now, settings, by.unit, item, sheet=sheet, told=str(error), back=back)


def _acted(
    session: Session,
    now: datetime,
    settings: Deployed,
    by: Actor,
    key: str,
    action: str,
    note: str | None,
    fields: Mapping[str, str],
    chosen: list[int],
    back: str,
) -> Response:
    here = address(submit_path(by.unit, key), back=back)
    if action == "submit":
        drafts.submit_draft(session, key, by=by, now=now, note=note)
        if back:
            return RedirectResponse(f"/units/{quote(by.unit, safe='-')}/desk?told=submitted", 303)
        return RedirectResponse(f"/items/{quote(key, safe=':-._~')}", 303)
    if action == "clear":
        drafts.clear(session, key, by=by)
    if action == "pick":
        _pick(session, now, settings, by, key, fields, chosen)
    if action.startswith("remove-"):
        gone = drafts.remove(session, key, _number(action), by=by)
        undo = {"removed": gone.file_id, "kind": gone.type.value, "called": gone.file_name}
        here = address(submit_path(by.unit, key), back=back, **undo)
    if action == "save":
        return RedirectResponse(address(submit_path(by.unit, key), back=back, saved="1"), 303)
    return RedirectResponse(f"{here}#files", 303)


def _pick(
    session: Session,
    now: datetime,
    settings: Deployed,
    by: Actor,
    key: str,
    fields: Mapping[str, str],
    chosen: list[int],
) -> None:
    type = EvidenceType(fields["as"]) if fields.get("as") in set(EvidenceType) else EvidenceType.DOCUMENT
    names = {chosen[0]: fields["called"]} if len(chosen) == 1 and fields.get("called") else None
    drafts.pick_files(session, key, chosen, type, limit=settings.limits.files, by=by, now=now, names=names)


@router.post("/units/{code}/withdraw/{key:path}")
def take_back(
    session: Writes,
    now: Now,
    by: Acting,
    key: Key,
    note: Annotated[str, BeforeValidator(printable), Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    submissions.withdraw(session, key, by=by, now=now, note=note.strip() or None)
    return RedirectResponse(submit_path(by.unit, key), 303)


def submit_path(unit: str, key: str) -> str:
    return f"/units/{quote(unit, safe='-')}/submit/{quote(key, safe=':-._~')}"


def _page(
    session: Session,
    now: datetime,
    settings: Deployed,
    code: str,
    item: Standing,
    *,
    sheet: Sheet | None = None,
    faults: Mapping[str, str] | None = None,
    told: str = "",
    undo: Mapping[str, object] | None = None,
    saved: bool = False,
    back: str = "",
) -> Response:
    """The page as of now; with a sheet, what was typed stays, and ``told`` says what is wrong with it (422)."""
    reading = open_reading(session, item.plan_code, as_of=None, now=now)
    if reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    requirement = reading.requirement(item.requirement)
    if requirement is None:
        raise ActNotAllowed("方案修订后已不再包含这一事项，无需报送")
    held = drafts.pieces(session, item.id)
    former = former_counts(session, item.plan_id, item.requirement, item.unit) if requirement.measures else {}
    used = {piece.file.id for piece in held if piece.file}
    recent = files_of(session, {item.unit, code}, since=now - RECENT)
    detail = item_of(session, reading, item.key)
    context = {
        "here": "units",
        "desk": unit_row(session, code),
        "detail": detail,
        "row": detail.row,
        "requirement": requirement,
        "editable": item.state in OWED,
        "pieces": held,
        "columns": _columns(requirement),
        "sheet": sheet or Sheet.of_draft(held, former),
        "faults": faults or {},
        "told": told,
        "undo": undo,
        "saved": saved,
        "recent": [one for one in recent if one.file.id not in used][:RECENT_SHOWN],
        "limits": settings.limits,
        "kinds": KINDS,
        "longest": {"text": LONGEST_TEXT, "link": LONGEST_LINK, "note": LONGEST_NOTE},
        "measures": labels(requirement),
        "here_path": address(submit_path(code, item.key), back=back),
        "back": back,
        "upload_path": f"/units/{quote(code, safe='-')}/files/{quote(item.key, safe=':-._~')}",
        "withdraw_path": f"/units/{quote(code, safe='-')}/withdraw/{quote(item.key, safe=':-._~')}",
    }
    return plan_page("submit.html", reading, plans.plans(session), context, status=422 if told else 200)


def _columns(requirement: Requirement) -> list[tuple[EvidenceType, str, int]]:
    """The kinds of files, those that the rules want first: type, what it is called, how many are wanted."""
    wanted = {rule.type: rule for rule in requirement.evidence if rule.type in FILE_TYPES}
    first = [(type, rule.label or TYPE_NAMES[type], rule.min) for type, rule in wanted.items()]
    return first + [(type, TYPE_NAMES[type], 0) for type in FILE_TYPES if type not in wanted]


def labels(requirement: Requirement | None) -> dict[str, tuple[str, str | None]]:
    """Label and denominator's label of each measure, by its name."""
    rules = requirement.measures if requirement else ()
    return {str(rule.name): (str(rule.label), rule.of_label) for rule in rules}


def _number(action: str) -> int:
    """The piece in ``remove-12``. Raises NotFound."""
    digits = action.partition("-")[2]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise NotFound(drafts.GONE)
    return int(digits)


def _clean(typed: str) -> str:
    """Without what no database and no reader can do anything with: control characters, halves of characters."""
    return "".join(c for c in typed if c in "\n\t\r" or unicodedata.category(c) not in ("Cc", "Cs"))
