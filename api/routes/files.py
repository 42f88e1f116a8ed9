"""文件: taken in one by one as they arrive; given out as copies, with headers that let nothing run."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BeforeValidator, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.dependencies import (
    CivilDay,
    Deployed,
    Files,
    Ledger,
    Now,
    Reads,
    UnitCode,
    acting,
    empty_is_none,
    printable,
)
from api.guard import Guarded
from api.multipart import BrokenUpload
from api.pages import page
from api.routes.submit import submit_path
from api.uploads import Answers, Desk, Outcome, take_all
from documents.thumbnails import thumbnail
from ledger import drafts
from ledger.acts import Actor
from ledger.database import Database
from ledger.file_store import FileStore
from ledger.files import StoredFile, stored_file
from policy_models.errors import NotFound, NotResponsible
from policy_models.file_names import plain_name
from policy_models.files import MEDIA_TYPES, FileKind
from policy_models.plan import EvidenceType

router = APIRouter(route_class=Guarded, include_in_schema=False)
Key = Annotated[str, BeforeValidator(printable), InPath(max_length=120)]
FileId = Annotated[int, InPath(ge=1, lt=2**63)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Type = Annotated[EvidenceType | None, BeforeValidator(empty_is_none), Query()]
SAFE = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NO_FILE = "没有收到文件，请先选择文件"


@router.post("/units/{code}/files/{key:path}/missing")
def missing(
    session: Reads,
    now: Now,
    settings: Deployed,
    code: UnitCode,
    key: Key,
    sha256: Annotated[list[Digest], Body(embed=True)],
) -> dict[str, list[str]]:
    """Which of these contents (SHA-256 as sent) the item's draft does not hold yet."""
    if len(sha256) > settings.limits.files * 2:
        raise HTTPException(422, f"一次最多核对 {settings.limits.files * 2} 份文件")
    return {"missing": drafts.missing_contents(session, key, sha256, by=acting(session, now, code))}


@router.post("/units/{code}/files/{key:path}")
async def upload(
    request: Request,
    database: Ledger,
    settings: Deployed,
    store: Files,
    now: Now,
    code: UnitCode,
    key: Key,
    type: Type = None,
    effective_on: CivilDay = None,
) -> Response:
    """Take files into an item's draft, each in a transaction of its own; what became of each is answered."""
    by = await run_in_threadpool(may_add, database, now, code, key)
    desk = Desk(database, store, settings.limits, key, by, now, type, effective_on)
    answers, broken = Answers(), ""
    try:
        await take_all(desk, request.stream(), request.headers.get("content-type", ""), answers)
    except BrokenUpload as error:
        broken = str(error)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it; what arrived is kept
    return _answered(request, by.unit, key, answers, broken or ("" if answers.files else NO_FILE))


def may_add(database: Database, now: datetime, code: str, key: str) -> Actor:
    """Before the body is read: an unknown item, another unit's or one that is not open takes no file."""
    with database.read() as session:
        by = acting(session, now, code)
        drafts.missing_contents(session, key, (), by=by)
        return by


def _answered(request: Request, unit: str, key: str, answers: Answers, broken: str) -> Response:
    back = submit_path(unit, key)
    arrived = len(answers.files) - len(answers.refused)
    status = 400 if broken and answers.files else 422 if broken or not arrived else 200
    if "application/json" in request.headers.get("accept", ""):
        told = [{"name": one.name, "outcome": one.outcome, "sentence": one.sentence} for one in answers.files]
        counts = {outcome.value: answers.count(outcome) for outcome in Outcome}
        return JSONResponse({"files": told, **counts, "broken": broken}, status)
    if not broken and not answers.refused:
        return RedirectResponse(f"{back}#files", 303)
    context = {"answers": answers, "kept": answers.count(Outcome.KEPT), "there": answers.count(Outcome.THERE)}
    return page("uploaded.html", {**context, "broken": broken, "back": back}, status=status)


@router.get("/files/{file_id}/thumbnail")
def show_thumbnail(session: Reads, store: Files, file_id: FileId) -> Response:
    """A small picture of what everybody may see."""
    found = stored_file(session, file_id)
    if not found.is_photo:
        raise NotFound("这个文件不是照片")
    headers = {**SAFE, "Cache-Control": "private, max-age=86400"}  # the address changes with the picture
    return Response(_small(store.folder, found.shown), media_type="image/jpeg", headers=headers)


@lru_cache(maxsize=512)
def _small(folder: Path, digest: str) -> bytes:
    return thumbnail(FileStore(folder).get(digest))


@router.get("/files/{file_id}/{name}")
def show_file(request: Request, session: Reads, store: Files, file_id: FileId, name: str) -> Response:
    """What everybody may see of a file: the redacted copy where there is one."""
    found = stored_file(session, file_id)
    return _sent(request, found, found.shown, store, name)


@router.get("/units/{code}/files/{file_id}")
def show_original(
    request: Request,
    session: Reads,
    now: Now,
    store: Files,
    code: UnitCode,
    file_id: FileId,
    name: Annotated[str, Query()] = "",
) -> Response:
    """The file as it is kept, to the unit that sent it."""
    by, found = acting(session, now, code), stored_file(session, file_id)
    if found.by_unit != by.unit:
        raise NotResponsible("文件由其他单位上传，原件只供上传单位查看")
    return _sent(request, found, found.kept, store, name or f"文件{found.id}")


def _sent(request: Request, found: StoredFile, digest: str, store: Files, name: str) -> Response:
    tag = f'"{digest[:32]}"'
    headers = {**SAFE, "Cache-Control": "private, no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    data = store.get(digest)
    kind = kind_of(found.kind, data)
    shown = f"{plain_name(name).removesuffix(f'.{kind}')}.{kind}"
    place = "inline" if kind in (FileKind.JPEG, FileKind.PNG) else "attachment"
    headers["Content-Disposition"] = (
        f"{place}; filename=\"file-{found.id}.{kind}\"; filename*=UTF-8''{quote(shown, safe='')}"
    )
    return Response(data, media_type=MEDIA_TYPES[kind], headers=headers)


def kind_of(kind: FileKind, data: bytes) -> FileKind:
    """What the kept bytes are: a photo may have been converted when it came in."""
    for magic, found in ((b"\xff\xd8\xff", FileKind.JPEG), (b"\x89PNG", FileKind.PNG)):
        if data.startswith(magic):
            return found
    return kind
