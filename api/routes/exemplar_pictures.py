"""案例照片: taken in through the same gate as evidence; shown to others as their copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.blocked import record_blocked
from api.dependencies import Acting, Deployed, Files, Ledger, Now, UnitCode, Writes, acting
from api.exemplar_form import RowId, exemplar_path
from api.guard import Guarded
from api.multipart import BrokenUpload, Part, parts
from api.pages import page
from api.uploads import Answer, Answers, Outcome
from documents.receiving import receive
from ledger import exemplars
from ledger.acts import Actor
from ledger.database import Database
from ledger.exemplar_rows import exemplar_row
from ledger.file_store import FileStore
from ledger.files import keep
from policy_models.errors import ChangedMeanwhile, FileRefused, NotResponsible, PrivacyBlocked
from policy_models.exemplars import PICTURES_KEPT
from policy_models.file_names import plain_name
from policy_models.files import MEGABYTE, PHOTO_KINDS, Limits
from policy_models.privacy import redact
from policy_models.text import written

router = APIRouter(route_class=Guarded, include_in_schema=False)
FIELDS_BYTES = 1 * MEGABYTE
NOT_CONFIRMED = "请先勾选“照片中没有儿童正面”，再选择照片上传"
NO_FILE = "没有收到照片，请先选择照片"


@dataclass
class Upload:
    """What the form has said so far: the declaration stands before its files."""

    database: Database
    store: FileStore
    limits: Limits
    exemplar: int
    by: Actor
    now: datetime
    no_faces: bool = False

    def take(self, part: Part) -> Answer:
        """One picture, in a transaction of its own."""
        name = plain_name(part.file_name or "")
        shown = redact(name)
        if part.too_large:
            return Answer(shown, Outcome.REFUSED, f"超过 {self.limits.file_bytes // MEGABYTE} MB，请压缩后再上传")
        try:
            received = receive(name, part.data, limits=self.limits, kinds=PHOTO_KINDS)
            with self.database.claim() as session:
                stored = keep(session, self.store, received, by=self.by, now=self.now)
                exemplars.add_picture(
                    session, self.exemplar, stored.id, "", no_faces=self.no_faces, by=self.by, now=self.now
                )
            return Answer(shown, Outcome.KEPT)
        except PrivacyBlocked as error:
            record_blocked(self.database, error, by_unit=self.by.unit, now=self.now)
            return Answer(shown, Outcome.REFUSED, str(error))
        except (FileRefused, ChangedMeanwhile) as error:
            return Answer(shown, Outcome.REFUSED, str(error))


@router.post("/units/{code}/exemplars/{exemplar_id}/pictures")
async def add_pictures(
    request: Request, database: Ledger, settings: Deployed, store: Files, now: Now, code: UnitCode, exemplar_id: RowId
) -> Response:
    """Take pictures one after the other; what was refused is told with the reason."""
    by = await run_in_threadpool(_may_add, database, now, code, exemplar_id)
    limits = settings.limits
    upload = Upload(database, store, limits, exemplar_id, by, now)
    answers, broken = Answers(), ""
    body = PICTURES_KEPT * limits.file_bytes + FIELDS_BYTES
    kind = request.headers.get("content-type", "")
    try:
        async for part in parts(request.stream(), kind, file_bytes=limits.file_bytes, body_bytes=body):
            if part.file_name is None:
                upload.no_faces = upload.no_faces or (part.field, part.text) == ("no_faces", "on")
            elif part.file_name or part.data:  # a file field that was left empty is sent without a name
                if not upload.no_faces:
                    broken = NOT_CONFIRMED
                    break
                answers.files.append(await run_in_threadpool(upload.take, part))
    except BrokenUpload as error:
        broken = str(error)
    back = exemplar_path(by.unit, exemplar_id)
    if not broken and not answers.files:
        broken = NO_FILE
    if not broken and not answers.refused:
        return RedirectResponse(f"{back}#pictures", 303)
    context = {"answers": answers, "kept": answers.count(Outcome.KEPT), "broken": broken, "back": back}
    return page("exemplar_uploaded.html", context, status=422)


def _may_add(database: Database, now: datetime, code: str, exemplar_id: int) -> Actor:
    """Before the body is read: another unit's exemplar takes no picture."""
    with database.read() as session:
        by = acting(session, now, code)
        one = exemplar_row(session, exemplar_id)
        if one.unit != by.unit:
            raise NotResponsible("这篇案例由其他单位撰写，您的单位不能修改")
        return by


@router.post("/units/{code}/exemplars/{exemplar_id}/pictures/{picture_id}")
def change_picture(
    session: Writes,
    now: Now,
    by: Acting,
    exemplar_id: RowId,
    picture_id: Annotated[int, Path(ge=1, lt=2**63)],
    action: Annotated[str, Form(max_length=12)] = "",
    caption: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Remove the picture, or change the words below it."""
    if action == "remove":
        exemplars.remove_picture(session, exemplar_id, picture_id, by=by, now=now)
    else:
        words = " ".join(written(caption).split())
        exemplars.caption_picture(session, exemplar_id, picture_id, words, by=by, now=now)
    return RedirectResponse(f"{exemplar_path(by.unit, exemplar_id)}#pictures", 303)
