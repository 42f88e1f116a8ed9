"""督办台账: the page and its exports, the same filters in the same address, the same cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator, StringConstraints

from api import visit
from api.dependencies import MaybePlan, OpenPlan, Reads, empty_is_none, printable
from api.guard import Guarded
from api.pages import address, page, plan_page
from api.register import COLUMNS, TITLES, cells
from api.routes.item import PageNumber, Section, Word
from api.routes.saved_views import PAGE, filter_of, own_account
from api.sent_files import IN_MEMORY, sent_file
from documents.cells import Cell, csv_lines
from documents.cells import words as cell_words
from documents.tables import Heading, write_table
from ledger import plans, saved_views
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.item_filter import CITY, ItemFilter
from ledger.queries.reading import Reading
from ledger.queries.register import register_page, register_rows
from ledger.queries.units import UnitRow, counties, has_below, unit_names, unit_row
from ledger.scope import line_of
from policy_models.access import ROLE_RIGHTS, Right
from policy_models.errors import NotFound
from policy_models.files import MEDIA_TYPES, FileKind
from policy_models.periods import period_name, section_name
from policy_models.plan import Level
from policy_models.timing import LIGHT_NAMES, LIGHTS, Light, Timing
from policy_models.units import LEVEL_NAMES

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_ROWS = 100
KEPT = 2  # columns that stay in sight: 序号 and 任务编号
LONG = ("具体举措", "量化指标", "目标值/完成值", "进展情况", "存在问题", "下步措施", "备注")


def _given(values: object) -> list[object]:
    return [value for value in values if value] if isinstance(values, (list, tuple)) else []


def asked(
    section: Word = None,
    under: Word = None,
    within: Word = None,
    level: Annotated[Level | None, BeforeValidator(empty_is_none), Query()] = None,
    light: Annotated[list[Light], BeforeValidator(_given), Query()] = [],  # noqa: B006
    requirement: Word = None,
    period: Word = None,
    phase: Section = None,
) -> tuple[ItemFilter, tuple[Light, ...]]:
    lights = tuple(one for one in Light if one in light)
    timing = tuple(one for one in Timing if LIGHTS[one] in lights)
    wanted = ItemFilter(None, section, requirement, period, under, None, timing, phase, within, None, None, level)
    return wanted, lights


Asked = Annotated[tuple[ItemFilter, tuple[Light, ...]], Depends(asked)]
Which = Annotated[Literal["picked", "all", ""], Query()]
Pick = Annotated[str, StringConstraints(max_length=120), BeforeValidator(printable)]
Picks = Annotated[list[Pick], Query(max_length=PAGE_ROWS)]
Gone = Annotated[str, BeforeValidator(printable), Query(max_length=800)]


@router.get("/register")
def show_register(
    session: Reads, reading: MaybePlan, chosen: Asked, number: PageNumber = None, gone: Gone = "", gone_query: Gone = ""
) -> Response:
    """``gone``, ``gone_query``: a 常用视图 just taken away, to be put back with one click."""
    if reading is None:
        return page("empty.html", {})
    wanted, lights = chosen
    _require_section(reading, wanted)
    number = number or 1
    skip = (number - 1) * PAGE_ROWS
    found = register_page(session, reading, wanted, skip=skip, limit=PAGE_ROWS)
    names = unit_names(session, frozenset(code for code in (wanted.within, wanted.under) if code), reading.scope)
    context = {
        "here": "register",
        "wanted": wanted,
        "lights_wanted": lights,
        "kept": _kept(wanted, lights),
        "found": found,
        "lines": list(zip(found.rows, cells(found.rows, reading, first=skip + 1), strict=True)),
        "titles": TITLES,
        "long": LONG,
        "kept_columns": KEPT,
        "cell_words": cell_words,
        "number": number,
        "skip": skip,
        "narrowing": _narrowing(reading, wanted, lights, names),
        "about_people": _about_people(reading),
        "counties": counties(session, reading.scope),
        "chaser": _chaser(session, reading, wanted),
        **_views(session, _kept(wanted, lights), gone, gone_query),
    }
    return plan_page("register.html", reading, plans.plans(session), context)


def _chaser(session: Session, reading: Reading, wanted: ItemFilter) -> UnitRow | None:
    """Who may chase what is chosen: the unit that the table is narrowed to, where others lie below it, else the
    visitor's own, else the coordinator: the first at which the visitor may. None on another day than today."""
    visitor = visit.current().visitor
    if reading.as_of != civil_date(reading.now) or visitor is None or Right.REVIEW not in visitor.rights:
        return None
    whole = Right.REVIEW in visitor.rights_at(frozenset())
    own = [one.unit for one in visitor.grants if one.unit and Right.REVIEW in ROLE_RIGHTS[one.role]]
    wider = [reading.summary.coordinator] if whole else own
    narrow = [wanted.within] if wanted.within and has_below(session, wanted.within) else []
    for code in [*narrow, *wider]:
        if whole or Right.REVIEW in visitor.rights_at(line_of(session, code)):
            return unit_row(session, code)
    return None


def _views(session: Session, kept: dict[str, object], gone: str, gone_query: str) -> dict[str, object]:
    """The account's 常用视图, and which of them the page shows."""
    query = filter_of(address("", **kept).removeprefix("?"))
    views = saved_views.saved_views(session, own_account(), PAGE)
    undo = {"name": gone, "query": filter_of(gone_query)} if gone else None
    return {"views": views, "view_query": query, "view_undo": undo, "longest_view": saved_views.LONGEST_NAME}


def _picked(which: str, pick: list[str]) -> tuple[str, ...]:
    """The keys to be exported; none for all that the filter has. Raises NotFound where nothing was ticked."""
    if which != "picked":
        return ()
    if not pick:
        raise NotFound("没有选择要导出的行，请先勾选，或选择“全部符合条件的”")
    return tuple(dict.fromkeys(pick))


@router.get("/register.xlsx")
def download_register(
    session: Reads,
    reading: OpenPlan,
    chosen: Asked,
    which: Which = "",
    pick: Picks = [],  # noqa: B006
) -> Response:
    """All pages as a workbook, or the rows that were ticked."""
    wanted, lights = chosen
    _require_section(reading, wanted)
    keys = _picked(which, pick)
    names = unit_names(session, frozenset(code for code in (wanted.within, wanted.under) if code), reading.scope)
    about = [*_narrowing(reading, wanted, lights, names), *([f"选中的 {len(keys)} 行"] if keys else [])]
    line = "；".join([f"截至 {reading.as_of}", *about, *_about_people(reading)])
    heading = Heading("督办台账", f"{reading.plan.title} 督办台账", line, COLUMNS, KEPT)
    target: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    rows = cells(register_rows(session, reading, wanted, keys=keys), reading, first=1)
    write_table(target, heading, rows, now=reading.now)
    return sent_file(target, MEDIA_TYPES[FileKind.XLSX], f"督办台账{reading.as_of:%Y%m%d}.xlsx", "register.xlsx")


@router.get("/register.csv")
def download_register_csv(
    session: Reads,
    reading: OpenPlan,
    chosen: Asked,
    which: Which = "",
    pick: Picks = [],  # noqa: B006
) -> Response:
    """All pages as CSV, or the rows that were ticked."""
    wanted, _ = chosen
    _require_section(reading, wanted)
    target: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    rows = register_rows(session, reading, wanted, keys=_picked(which, pick))
    for lines in csv_lines(_with_titles(cells(rows, reading, first=1))):
        target.write(lines.encode())
    return sent_file(target, "text/csv; charset=utf-8", f"督办台账{reading.as_of:%Y%m%d}.csv", "register.csv")


def _with_titles(rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    yield TITLES
    yield from rows


def _require_section(reading: Reading, wanted: ItemFilter) -> None:
    if wanted.section and reading.section(wanted.section) is None:
        raise NotFound(f"方案中没有“{wanted.section}”这一部分，请从任务页面重新进入")


def _kept(wanted: ItemFilter, lights: tuple[Light, ...]) -> dict[str, object]:
    """The query fields that every link of the page hands on."""
    names = ("section", "under", "within", "level", "requirement", "period", "phase")
    return {**{name: asdict(wanted)[name] for name in names}, "light": lights}


def _about_people(reading: Reading) -> list[str]:
    """Who answers for what is known as of today alone."""
    return ["责任人、联系人为现任人员"] if reading.is_past else []


def _narrowing(reading: Reading, wanted: ItemFilter, lights: tuple[Light, ...], names: dict[str, str]) -> list[str]:
    """What the table is narrowed to, in words."""
    found = []
    if wanted.section and (section := reading.section(wanted.section)):
        found.append(f"{section_name(wanted.section)} {section.title}")
    if wanted.requirement:
        found.append(f"事项：{wanted.requirement}")
    if wanted.under:
        found.append(f"旗县区：{'市级' if wanted.under == CITY else names.get(wanted.under, wanted.under)}")
    if wanted.within:
        found.append(f"单位：{names.get(wanted.within, wanted.within)}及下级单位")
    if wanted.level:
        found.append(f"层级：{LEVEL_NAMES[wanted.level]}")
    if wanted.period:
        found.append(f"期次：{period_name(wanted.period, reading.calendars) or '一次'}")
    if wanted.phase:
        found.append(section_name(f"phase-{wanted.phase}"))
    if lights:
        found.append(f"状态灯：{'、'.join(LIGHT_NAMES[one] for one in lights)}")
    return found
