"""An item, its draft and its extensions as /api/v1 shows them; and what it was sent, read by the rules of the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from fastapi import Request

from api.answers_items import (
    DraftOut,
    EntryOut,
    EvidenceOut,
    ExtensionOut,
    FileOut,
    ItemDetailOut,
    PieceOut,
)
from api.bodies import SubmitIn
from api.dependencies import open_reading
from api.sheet import Read, Sheet, read
from ledger import drafts, extensions, plans
from ledger.acts import Actor, Standing, standing
from ledger.civil import civil_date, end_of_day
from ledger.database import Session
from ledger.files import StoredFile
from ledger.queries.evidence import Given
from ledger.queries.items import ItemRow, item, plan_of_item
from ledger.queries.reading import Reading
from policy_models.errors import Fault, Faulty, NotFound
from policy_models.evidence import Evidence
from policy_models.plan import EvidenceType, Requirement

NO_ITEM = "没有这个办理件，地址可能不完整或已失效"
LABELS = {
    "effective_on": "发生日期",
    "text": "文字说明",
    "link": "链接",
    "reason": "无新增的理由",
    "note": "备注",
}


def item_answer(session: Session, request: Request, key: str, now: datetime) -> ItemDetailOut:
    """An item as it stands today, with its revision as the tag of the answer. Raises NotFound."""
    reading = open_reading(session, plan_of_item(session, key), as_of=None, now=now)
    if reading is None:
        raise NotFound(NO_ITEM)
    found = detail(session, reading, key)
    request.state.revision = found.revision
    return found


def detail(session: Session, reading: Reading, key: str) -> ItemDetailOut:
    """An item as of the reading's day. Raises NotFound."""
    found = item(session, reading, key)
    asked = extensions.of_item(session, key, before=end_of_day(reading.as_of))
    history = [
        EntryOut(
            **{name: getattr(one, name) for name in ("revision", "act", "state", "by_unit", "by_name", "at", "note")},
            evidence=[given_out(piece) for piece in found.handed_in.get(one.revision, ())],
        )
        for one in found.entries
    ]
    return ItemDetailOut(
        **item_fields(found.row),
        history=history,
        evidence=[given_out(one) for one in found.given],
        extensions=[ExtensionOut.model_validate(one) for one in asked],
    )


def item_fields(row: ItemRow) -> dict[str, object]:
    """What ItemDetailOut says of a row."""
    lists = ("history", "evidence", "extensions")
    return {name: getattr(row, name) for name in ItemDetailOut.model_fields if name not in lists}


def given_out(one: Given) -> EvidenceOut:
    return EvidenceOut(**_piece(one.evidence, one.file))


def _piece(one: Evidence, file: StoredFile | None) -> dict[str, object]:
    facts = {name: getattr(one, name) for name in ("type", "name", "value", "of", "text", "effective_on")}
    return {**facts, "file": file_out(file, one.file_name) if file else None}


def file_out(file: StoredFile, name: str | None) -> FileOut:
    path = f"/files/{file.id}/{quote(name or '', safe='')}"
    return FileOut(id=file.id, name=name, kind=file.kind.value, bytes=file.size, sha256=file.shown, path=path)


def draft_out(session: Session, found: Standing) -> DraftOut:
    pieces = [PieceOut(id=one.id, **_piece(one.evidence, one.file)) for one in drafts.pieces(session, found.id)]
    return DraftOut(key=found.key, revision=found.revision, pieces=pieces)


def put_together(session: Session, key: str, given: SubmitIn, *, limit: int, by: Actor, now: datetime) -> str | None:
    """Lay what was sent into the item's draft, as the page does; the note. Raises Faulty, and as ``ledger.drafts``."""
    found = standing(session, key)
    requirement = plans.requirement(session, found.plan_code, found.requirement)
    wanted = understood(given, requirement, now)
    if given.files is not None:
        drafts.clear(session, key, by=by)
    drafts.write_words(session, key, wanted.evidence, by=by, now=now)
    for type in ("photo", "document", "sign_in"):
        chosen = [one for one in given.files or () if one.type == type]
        names = {one.id: one.name for one in chosen if one.name}
        ids = [one.id for one in chosen]
        drafts.pick_files(session, key, ids, EvidenceType(type), limit=limit, by=by, now=now, names=names)
    _date_files(session, found.id, key, given, by)
    return wanted.note


def _date_files(session: Session, item_id: int, key: str, given: SubmitIn, by: Actor) -> None:
    days = {one.id: one.effective_on for one in given.files or () if one.effective_on}
    if days:
        held = {one.file.id: one.id for one in drafts.pieces(session, item_id) if one.file}
        drafts.date_files(session, key, {held[id]: day for id, day in days.items()}, by=by)


def understood(given: SubmitIn, requirement: Requirement | None, now: datetime) -> Read:
    """Raises Faulty: each field that is wrong, and figures that the requirement does not ask for."""
    if requirement is None:
        return Read((), {}, None, {})
    known = {str(rule.name): str(rule.label) for rule in requirement.measures}
    if strange := [one.name for one in given.figures if one.name not in known]:
        raise Faulty([Fault("指标", None, "", f"本事项没有名为 {'、'.join(strange)[:60]} 的指标")])
    sheet = Sheet(
        figures={one.name: (one.value, one.of) for one in given.figures},
        text=given.text,
        link=given.link,
        nothing_new=given.nothing_new is not None,
        reason=given.nothing_new or "",
        effective_on=str(given.effective_on or ""),
        note=given.note,
        days={},
    )
    found = read(sheet, requirement, civil_date(now))
    if found.faults:
        raise Faulty([Fault(_label(name, known), None, "", told) for name, told in found.faults.items()])
    return found


def _label(name: str, measures: Mapping[str, str]) -> str:
    kind, _, measure = name.partition("-")
    return measures.get(measure) or LABELS.get(kind, kind)
