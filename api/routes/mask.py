"""遮盖: boxes drawn over a picture by the unit that sent it; everybody else sees the masked copy."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.dependencies import Acting, Files, Now, Reads, UnitCode, Writes, acting, printable
from api.guard import Guarded
from api.pages import address, page
from api.routes.submit import submit_path
from documents.redaction import Box, mask_picture
from ledger.files import StoredFile, drop_copy, set_copy, stored_file
from ledger.queries.units import unit_row
from policy_models.errors import FileRefused, NotFound, NotResponsible
from policy_models.workbook_cells import Wrong, number

router = APIRouter(route_class=Guarded, include_in_schema=False)
FileId = Annotated[int, InPath(ge=1, lt=2**63)]
Key = Annotated[str, BeforeValidator(printable), Query(max_length=120)]
ROWS = 4  # boxes that can be given in figures at once
MOST = 40
SIDES = ("left", "top", "width", "height")


async def boxes_sent(request: Request) -> list[tuple[str, ...]]:
    """Rows of four figures, in per cent of the picture."""
    sent = await request.form()
    columns = [[str(one) for one in sent.getlist(side)] for side in SIDES]
    return [row for row in zip(*columns, strict=False) if any(cell.strip() for cell in row)]


@router.get("/units/{code}/files/{file_id}/mask")
def show_mask(
    session: Reads,
    now: Now,
    code: UnitCode,
    file_id: FileId,
    key: Key = "",
    done: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """``key``: of the item whose submit page it came from, to go back to."""
    by = acting(session, now, code)
    return _page(session, by.unit, _own_picture(stored_file(session, file_id), by.unit), key, done=done)


@router.post("/units/{code}/files/{file_id}/mask")
def draw(
    session: Writes,
    store: Files,
    by: Acting,
    file_id: FileId,
    rows: Annotated[list[tuple[str, ...]], Depends(boxes_sent)],
    seen: Annotated[str, Form(max_length=64)] = "",
    key: Key = "",
) -> Response:
    """Mask what others see now, so that boxes only ever add to each other. ``seen``: the digest the page showed."""
    found = _own_picture(stored_file(session, file_id), by.unit)
    try:
        masked = mask_picture(store.get(found.shown), _boxes(rows))
    except (Wrong, FileRefused) as error:
        return _page(session, by.unit, found, key, told=str(error))
    set_copy(session, store, file_id, masked, over=seen or found.shown, by=by)
    return RedirectResponse(address(mask_path(by.unit, file_id), key=key, done="1"), 303)


@router.post("/units/{code}/files/{file_id}/unmask")
def undo(session: Writes, by: Acting, file_id: FileId, key: Key = "") -> Response:
    drop_copy(session, file_id, by=by)
    return RedirectResponse(address(mask_path(by.unit, file_id), key=key, done="2"), 303)


def mask_path(unit: str, file_id: int) -> str:
    return f"/units/{quote(unit, safe='-')}/files/{file_id}/mask"


def _own_picture(found: StoredFile, unit: str) -> StoredFile:
    if found.by_unit != unit:
        raise NotResponsible("文件由其他单位上传，只有上传单位可以遮盖")
    if not found.is_photo:
        raise NotFound("这个文件不是图片，不能框选遮盖")
    return found


def _boxes(rows: list[tuple[str, ...]]) -> list[Box]:
    """Raises Wrong, with the number of the row."""
    if not rows:
        raise Wrong("请先在图片上框选要遮盖的区域")
    if len(rows) > MOST:
        raise Wrong(f"一次最多遮盖 {MOST} 处，请分次遮盖")
    boxes = []
    for n, row in enumerate(rows, 1):
        try:
            left, top, width, height = (float(number(cell.replace("%", "")) or 0) / 100 for cell in row)
        except Wrong as error:
            raise Wrong(f"第 {n} 处：{error}") from error
        boxes.append((left, top, width, height))
    return boxes


def _page(session: Reads, unit: str, found: StoredFile, key: str, *, done: str = "", told: str = "") -> Response:
    context = {
        "here": "units",
        "desk": unit_row(session, unit),
        "file": found,
        "key": key,
        "back": submit_path(unit, key) if key else f"/units/{quote(unit, safe='-')}",
        "path": address(mask_path(unit, found.id), key=key),
        "unmask": address(mask_path(unit, found.id).removesuffix("mask") + "unmask", key=key),
        "rows": ROWS,
        "most": MOST,
        "done": done,
        "told": told,
    }
    return page("mask.html", context, status=422 if told else 200)
