"""操作记录: the trail, page by page, narrowed, and as CSV. Append-only: nothing here changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator

from api.admin import admin_page, scope_of
from api.dependencies import CivilDay, Now, Reads, printable
from api.guard import Guarded
from documents.cells import Cell, csv_lines
from ledger.civil import SHANGHAI, civil_date
from ledger.queries.trail import TrailLine, Wanted, acts_in_trail, trail_page
from policy_models.access import Right
from policy_models.text import written

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_ROWS = 50
MOST_EXPORTED = 20_000
HEAD = ("时间", "账号", "姓名", "操作", "单位代码", "单位", "对象", "说明", "来自", "结果")
Word = Annotated[str, BeforeValidator(printable), Query(max_length=60)]


@dataclass(frozen=True, slots=True)
class Asked:
    """``wanted`` of the trail, and ``kept``: the same as fields of an address."""

    wanted: Wanted
    kept: dict[str, object]


def asked(
    account: Word = "",
    act: Word = "",
    unit: Word = "",
    day_from: CivilDay = None,
    day_to: CivilDay = None,
    refused: Annotated[bool, BeforeValidator(lambda value: value not in ("", "0", None)), Query()] = False,
) -> Asked:
    """What is asked for; days in the wrong order are put right."""
    if day_from and day_to and day_to < day_from:
        day_from, day_to = day_to, day_from
    account, act, unit = written(account), written(act), written(unit)
    kept: dict[str, object] = {"account": account, "act": act, "unit": unit}
    kept |= {"day_from": day_from, "day_to": day_to, "refused": "1" if refused else None}
    return Asked(Wanted(account, act, unit, day_from, day_to, refused), kept)


Narrowed = Annotated[Asked, Depends(asked)]


@router.get("/admin/audit")
def show_audit(
    session: Reads, now: Now, narrowed: Narrowed, cursor: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    found = trail_page(session, scope_of(Right.AUDIT), narrowed.wanted, cursor=cursor, limit=PAGE_ROWS)
    context = {
        "found": found,
        "wanted": narrowed.wanted,
        "kept": narrowed.kept,
        "acts": acts_in_trail(session),
        "whole": scope_of(Right.AUDIT).is_whole,
        "cursor": cursor,
        "most": MOST_EXPORTED,
    }
    return admin_page("admin_audit.html", session, now, context, tab="/admin/audit")


@router.get("/admin/audit.csv")
def export_audit(session: Reads, now: Now, narrowed: Narrowed) -> Response:
    """The newest lines of what is asked for; a last line says so where there are more."""
    found = trail_page(session, scope_of(Right.AUDIT), narrowed.wanted, limit=MOST_EXPORTED)
    text = "".join(csv_lines(_rows(found.lines, bool(found.cursor))))
    return csv_answer(text, "audit.csv", f"操作记录{civil_date(now):%Y%m%d}.csv")


def _rows(lines: tuple[TrailLine, ...], more: bool) -> Iterator[tuple[Cell, ...]]:
    yield HEAD
    for one in lines:
        at = f"{one.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
        result = "完成" if one.done else "未准许"
        yield (
            at,
            one.account,
            one.by_name,
            one.act,
            one.unit,
            one.unit_name,
            one.object,
            one.detail,
            one.address,
            result,
        )
    if more:
        yield (f"只导出最近 {MOST_EXPORTED} 条，请缩小范围后分次导出",)


def csv_answer(text: str, plain: str, name: str) -> Response:
    """A CSV to be kept under a Chinese name; never stored by caches."""
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)
