"""办理件 by JSON: read one, put it together, hand it in, take it back, accept it, send it back, many at once.

The same verbs of the ledger as the pages, at the same desks (``/units/{code}/…``): no rule is written twice.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool

from api.answers_items import BulkOut, DraftOut, ItemDetailOut, LeftItemOut, TakenOut, UploadOut
from api.bodies import BulkIn, NoteIn, ReasonIn, SubmitIn
from api.dependencies import (
    AsOf,
    Deployed,
    Files,
    Ledger,
    Now,
    Reads,
    UnitCode,
    Writes,
    acting,
    open_reading,
    printable,
)
from api.item_json import NO_ITEM, detail, draft_out, item_answer, put_together
from api.json_route import NOT_MULTIPART, ApiRoute, IfMatch, require_match
from api.multipart import BrokenUpload
from api.routes.files import may_add
from api.routes.review import do_all
from api.uploads import Answers, Desk, take_all
from ledger import drafts, reviews, submissions
from ledger.acts import standing
from ledger.civil import civil_date
from ledger.database import Database
from ledger.queries.items import plan_of_item
from policy_models.errors import ActNotAllowed, NotFound

router = APIRouter(route_class=ApiRoute, prefix="/api/v1", tags=["办理件"])
Key = Annotated[str, BeforeValidator(printable), Path(max_length=120, description="办理件编号")]
DESK = "/units/{code}/items/{key}"
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "title": "上传文件",
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "一个或多个文件",
                        }
                    },
                    "required": ["file"],
                }
            }
        },
    }
}


@router.get(
    "/items/{key}",
    summary="一个办理件",
    description="办理件的状态、办理记录、佐证材料和延期申请。ETag 以版本号开头，办理时作为 If-Match 送回。",
)
def read_item(request: Request, session: Reads, now: Now, key: Key, as_of: AsOf = None) -> ItemDetailOut:
    reading = open_reading(session, plan_of_item(session, key), as_of=as_of, now=now)
    if reading is None:
        raise NotFound(NO_ITEM)
    found = detail(session, reading, key)
    if reading.as_of == civil_date(now):
        request.state.revision = found.revision
    return found


@router.get(DESK + "/draft", summary="草稿", description="已放入草稿、尚未报送的材料，含上传的文件及其编号。")
def read_draft(session: Reads, now: Now, code: UnitCode, key: Key) -> DraftOut:
    return draft_out(session, submissions.owed(session, key, acting(session, now, code)))


@router.post(
    DESK + "/files",
    summary="上传文件",
    description="把文件放入办理件的草稿，逐个接收；同一内容重复上传不会重复。报送另行提交。",
    openapi_extra=UPLOAD,
)
async def upload(
    request: Request, database: Ledger, settings: Deployed, store: Files, now: Now, code: UnitCode, key: Key
) -> UploadOut:
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise HTTPException(415, NOT_MULTIPART)
    by = await run_in_threadpool(may_add, database, now, code, key)
    answers = Answers()
    try:
        await take_all(Desk(database, store, settings.limits, key, by, now), request.stream(), kind, answers)
    except BrokenUpload as error:
        raise HTTPException(400, f"{error}；此前已收到 {len(answers.files)} 个文件") from error
    if not answers.files:
        raise HTTPException(422, "没有收到文件")
    told = [TakenOut(name=one.name, outcome=one.outcome.value, sentence=one.sentence) for one in answers.files]
    return UploadOut(files=told, draft=await run_in_threadpool(_draft, database, key))


def _draft(database: Database, key: str) -> DraftOut:
    with database.read() as session:
        return draft_out(session, standing(session, key))


@router.post(
    DESK + "/submit",
    summary="报送",
    description="报送办理件：指标、文字、链接，以及草稿中或按编号引用的文件。已报送的再次报送答 409。",
)
def submit(
    request: Request,
    session: Writes,
    now: Now,
    settings: Deployed,
    code: UnitCode,
    key: Key,
    given: SubmitIn,
    if_match: IfMatch = None,
) -> ItemDetailOut:
    by = acting(session, now, code, given.by_name)
    submissions.owed(session, key, by)
    require_match(session, key, if_match)
    note = put_together(session, key, given, limit=settings.limits.files, by=by, now=now)
    drafts.submit_draft(session, key, by=by, now=now, note=note)
    return item_answer(session, request, key, now)


@router.post(DESK + "/withdraw", summary="撤回", description="审核之前撤回报送；材料回到草稿。")
def withdraw(
    request: Request, session: Writes, now: Now, code: UnitCode, key: Key, given: NoteIn, if_match: IfMatch = None
) -> ItemDetailOut:
    by = acting(session, now, code, given.by_name)
    submissions.owed(session, key, by)
    require_match(session, key, if_match)
    submissions.withdraw(session, key, by=by, now=now, note=given.note.strip() or None)
    return item_answer(session, request, key, now)


@router.post(DESK + "/accept", summary="审核通过", description="审核通过一个办理件；以审核单位的名义。")
def accept(
    request: Request, session: Writes, now: Now, code: UnitCode, key: Key, given: NoteIn, if_match: IfMatch = None
) -> ItemDetailOut:
    by = acting(session, now, code, given.by_name)
    seen = require_match(session, key, if_match)
    if standing(session, key).collects:
        raise ActNotAllowed(reviews.BY_SECTION)
    reviews.accept(session, key, by=by, now=now, note=given.note.strip() or None, seen=seen)
    return item_answer(session, request, key, now)


@router.post(DESK + "/send-back", summary="退回", description="退回一个办理件，理由告知报送单位。")
def send_back(
    request: Request, session: Writes, now: Now, code: UnitCode, key: Key, given: ReasonIn, if_match: IfMatch = None
) -> ItemDetailOut:
    by = acting(session, now, code, given.by_name)
    seen = require_match(session, key, if_match)
    if standing(session, key).collects:
        raise ActNotAllowed(reviews.BY_SECTION)
    reviews.send_back(session, key, by=by, now=now, reason=given.reason, seen=seen)
    return item_answer(session, request, key, now)


@router.post(
    "/units/{code}/review",
    summary="批量审核",
    description="一次通过或退回多个嘎查村社区的办理件；他人已先办理的不动，并在 left 中列出。",
)
def review_many(database: Ledger, now: Now, code: UnitCode, given: BulkIn) -> BulkOut:
    with database.read() as session:
        by = acting(session, now, code, given.by_name)
    keys = [one.key for one in given.items]
    seen = {one.key: one.revision for one in given.items if one.revision is not None}
    found = do_all(database, keys, seen, given.verdict, by=by, now=now, reason=given.note)
    left = [LeftItemOut(key=one.key, state=one.state, revision=one.revision) for one in found.left]
    return BulkOut(done=list(found.done), left=left)
