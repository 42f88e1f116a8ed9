"""代填: the sheets of a township, and one of them: a row for each village, checked cell by cell, handed in together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from api.blocked import record_blocked
from api.dependencies import Acting, Ledger, Now, PlanCode, Reads, UnitCode, printable
from api.desk import Today, present
from api.guard import Guarded
from api.pages import address, plan_page
from api.routes.submit import Fields
from api.sheet import LONGEST_NOTE, LONGEST_TEXT, Sheet, plain, read
from ledger import plans, sheets
from ledger.acts import Actor
from ledger.civil import civil_date
from ledger.database import Database, Session
from ledger.queries.reading import Reading
from ledger.queries.sheets import SheetRow, sheet_rows
from ledger.queries.sheets import sheets as sheets_of
from ledger.queries.units import unit_row
from ledger.screenings import require_clean
from ledger.submissions import Handed, words_of
from policy_models.errors import ChangedMeanwhile, Faulty, NotFound, PrivacyBlocked
from policy_models.plan import EvidenceType, Requirement

router = APIRouter(route_class=Guarded, include_in_schema=False)
Word = Annotated[str, BeforeValidator(printable), Path(max_length=40)]
Count = Annotated[int, Query(ge=0, le=10_000)]
FILES = {EvidenceType.PHOTO: "照片", EvidenceType.DOCUMENT: "文件", EvidenceType.SIGN_IN: "签到表"}


@dataclass(frozen=True)
class Line:
    """A row as the page shows it: what is typed in it, and a sentence for each wrong cell ("" for the row)."""

    row: SheetRow
    typed: Sheet
    faults: Mapping[str, str]
    lacks: tuple[str, ...]


@router.get("/units/{code}/sheets")
def show_sheets(session: Reads, reading: Today, code: UnitCode) -> Response:
    own = unit_row(session, code)
    context = {"here": "units", "unit": own, "lines": sheets_of(session, reading, own.code)}
    return plan_page("sheets.html", reading, plans.plans(session), context)


@router.get("/units/{code}/sheet/{requirement}/{period}")
def show_sheet(
    session: Reads,
    reading: Today,
    code: UnitCode,
    requirement: Word,
    period: Word,
    done: Count = 0,
    kept: Count = 0,
) -> Response:
    rows = _rows(session, reading, code, requirement, period)
    lines = [_line(row, _rule(reading, requirement), _stored(row), {}) for row in rows]
    return _page(session, reading, code, requirement, period, lines, done=done, kept=kept)


def _rule(reading: Reading, code: str) -> Requirement:
    found = reading.requirement(code)
    if found is None:
        raise NotFound(f"方案中没有事项 {code[:8]}，请从代填列表重新进入")
    return found


def _rows(session: Session, reading: Reading, code: str, requirement: str, period: str) -> tuple[SheetRow, ...]:
    _rule(reading, requirement)
    found = sheet_rows(session, reading, code, requirement, period)
    if not found:
        raise NotFound("没有这张表：本单位下级的嘎查村社区没有这一事项和期次的办理件")
    return found


def _stored(row: SheetRow) -> Sheet:
    """What the draft holds; where it has no figure, 应办 as last accepted."""
    former = {name: one for name, one in row.former.items() if name not in {piece.name for piece in row.draft}}
    figures = {name: ("", plain(one.value)) for name, one in former.items()}
    figures |= {piece.name: (plain(piece.value), plain(piece.of)) for piece in row.draft if piece.name}
    words = {piece.type: piece.text or "" for piece in row.draft if not piece.name}
    return Sheet(
        figures=figures,
        text=words.get(EvidenceType.TEXT, ""),
        link=words.get(EvidenceType.LINK, ""),
        nothing_new=EvidenceType.NOTHING_NEW in words,
        reason=words.get(EvidenceType.NOTHING_NEW, ""),
        former={name: one.period for name, one in former.items()},
    )


def _line(row: SheetRow, rule: Requirement, typed: Sheet, faults: Mapping[str, str]) -> Line:
    return Line(row, typed, faults, _lacks(row, rule))


def _lacks(row: SheetRow, rule: Requirement) -> tuple[str, ...]:
    """Which files the row still lacks."""
    if not row.open:
        return ()
    wanted = [(one, one.min - row.files.get(one.type, 0)) for one in rule.evidence if one.type in FILES]
    return tuple(f"{FILES[one.type]} {short} 份" for one, short in wanted if short > 0)


@router.post("/units/{code}/sheet/{requirement}/{period}")
def fill(
    database: Ledger,
    now: Now,
    by: Acting,
    requirement: Word,
    period: Word,
    fields: Fields,
    plan: PlanCode = None,
) -> Response:
    """Hand in every row that was filled. One wrong cell, and nothing is taken; what was typed stays."""
    remark = fields.get("note", "").strip()
    with database.read() as session:
        reading = present(session, plan, now)
        rows = _rows(session, reading, by.unit, requirement, period)
    rule = _rule(reading, requirement)
    typed = {row.id: _typed(fields, row, rule) for row in rows if row.open}
    wanted = [row for row in rows if row.open and _touched(typed[row.id], row)]
    given, faults = _read_all(wanted, typed, rule, remark, civil_date(now))
    for error in _screen(given, rows, by, faults):
        record_blocked(database, error, by_unit=by.unit, now=now)
    told = "" if wanted else "尚未填写任何一行，请至少填写一个村（社区）"
    if len(remark) > LONGEST_NOTE:
        told = f"备注过长：{len(remark)} 字，不超过 {LONGEST_NOTE} 字"
    if told or any(faults.values()):
        return _again(database, plan, now, by.unit, requirement, period, typed, faults, told, remark)
    seen = {row.key: int(shown) for row in wanted if (shown := fields.get(f"{row.id}.seen", "")).isdecimal()}
    try:
        with database.write() as session:
            result = sheets.fill(session, given, by=by, now=now, seen=seen)
    except Faulty as error:
        by_key = {row.key: row.id for row in rows}
        faults = {by_key[fault.file]: {"": fault.message} for fault in error.faults if fault.file in by_key}
        return _again(database, plan, now, by.unit, requirement, period, typed, faults, "", remark)
    except ChangedMeanwhile as error:
        return _again(database, plan, now, by.unit, requirement, period, typed, {}, str(error), remark, status=409)
    told_of = {"done": result.submitted or None, "kept": len(result.drafted) or None, "plan": plan}
    return RedirectResponse(address(_path(by.unit, requirement, period), **told_of), 303)


def _path(code: str, requirement: str, period: str) -> str:
    return f"/units/{quote(code, safe='-')}/sheet/{quote(requirement)}/{quote(period)}"


def _typed(fields: Mapping[str, str], row: SheetRow, rule: Requirement) -> Sheet:
    own = {name.removeprefix(f"{row.id}."): value for name, value in fields.items() if name.startswith(f"{row.id}.")}
    typed = Sheet.of_form(own, rule)
    former = {name: one.period for name, one in row.former.items() if typed.figures[name][1] == plain(one.value)}
    return replace(typed, former=former)


def _touched(typed: Sheet, row: SheetRow) -> bool:
    """Whether somebody filled in the row: 应办 as it was offered alone does not count."""
    figures = any(
        value.strip() or (of.strip() and name not in typed.former) for name, (value, of) in typed.figures.items()
    )
    return figures or typed.nothing_new or any(words.strip() for words in (typed.text, typed.link, typed.reason))


def _read_all(
    rows: Sequence[SheetRow], typed: Mapping[int, Sheet], rule: Requirement, remark: str, today: date
) -> tuple[list[Handed], dict[int, dict[str, str]]]:
    """Each row as evidence, and what is wrong in it, by cell."""
    given: list[Handed] = []
    faults: dict[int, dict[str, str]] = {}
    for row in rows:
        found = read(typed[row.id], rule, today)
        faults[row.id] = {**({} if typed[row.id].nothing_new else _empty_cells(typed[row.id], rule)), **found.faults}
        given.append((row.key, found.evidence, remark or None))
    return given, faults


def _screen(
    given: Sequence[Handed], rows: Sequence[SheetRow], by: Actor, faults: dict[int, dict[str, str]]
) -> list[PrivacyBlocked]:
    """What the privacy gate stops, told in the row it stands in."""
    ids = {row.key: row.id for row in rows}
    stopped = []
    for key, evidence, note in given:
        try:
            require_clean(words_of(evidence, note, by))
        except PrivacyBlocked as error:
            faults[ids[key]][""] = str(error)
            stopped.append(error)
    return stopped


def _empty_cells(typed: Sheet, rule: Requirement) -> dict[str, str]:
    """The cells of a filled row that must not stay empty."""
    empty = {}
    for one in rule.measures:
        value, of = typed.figures.get(str(one.name), ("", ""))
        if not value.strip():
            empty[f"value-{one.name}"] = "请填写"
        if one.of and not of.strip():
            empty[f"of-{one.name}"] = "请填写"
    for type, name, words in ((EvidenceType.TEXT, "text", typed.text), (EvidenceType.LINK, "link", typed.link)):
        if any(one.type is type for one in rule.evidence) and not words.strip():
            empty[name] = "请填写"
    return empty


def _again(
    database: Database,
    plan: str | None,
    now: datetime,
    code: str,
    requirement: str,
    period: str,
    typed: Mapping[int, Sheet],
    faults: Mapping[int, Mapping[str, str]],
    told: str,
    remark: str,
    *,
    status: int = 422,
) -> Response:
    """The sheet as it was typed, what is wrong beside the cells."""
    wrong = sum(1 for one in faults.values() if one)
    told = told or f"有 {wrong} 行需要核对，已在表中标出，整张表尚未提交"
    with database.read() as session:
        reading = present(session, plan, now)
        rule = _rule(reading, requirement)
        rows = _rows(session, reading, code, requirement, period)
        lines = [_line(row, rule, typed.get(row.id, _stored(row)), faults.get(row.id, {})) for row in rows]
        facts = {"told": told, "remark": remark, "status": status}
        return _page(session, reading, code, requirement, period, lines, **facts)  # type: ignore[arg-type]


def _page(
    session: Session,
    reading: Reading,
    code: str,
    requirement: str,
    period: str,
    lines: list[Line],
    *,
    done: int = 0,
    kept: int = 0,
    told: str = "",
    remark: str = "",
    status: int = 200,
) -> Response:
    rule = _rule(reading, requirement)
    types = {one.type for one in rule.evidence}
    context = {
        "here": "units",
        "unit": unit_row(session, code),
        "requirement": rule,
        "section": next(name for name, one in reading.plan.requirements() if one.code == requirement),
        "period": period,
        "lines": lines,
        "filled": sum(line.row.filled for line in lines),
        "files": [one for one in rule.evidence if one.type in FILES],
        "asks_text": EvidenceType.TEXT in types,
        "asks_link": EvidenceType.LINK in types,
        "path": _path(code, requirement, period),
        "done": done,
        "kept": kept,
        "told": told,
        "remark": remark,
        "longest_note": LONGEST_NOTE,
        "longest_text": LONGEST_TEXT,
    }
    return plan_page("sheet.html", reading, plans.plans(session), context, status=status)
