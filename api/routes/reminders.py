"""催办记录: each notice with why it was sent, to whom and what came of it; and each that was not sent, with the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator, StringConstraints

from api.dependencies import CivilDay, MaybePlan, OpenPlan, Reads, empty_is_none, printable
from api.guard import Guarded
from api.pages import page, plan_page
from api.routes.item import PageNumber, Word
from api.sent_files import IN_MEMORY, sent_file
from api.telling import KIND_NAMES, TONES, cells, subject, whom, why
from api.ways import Ways
from documents.cells import csv_lines
from ledger import plans
from ledger.database import Session
from ledger.queries.outcomes import OUTCOME_NAMES, Outcome
from ledger.queries.reading import Reading
from ledger.queries.reminders import NoticeFilter, notice_page, notice_rows
from ledger.queries.units import UnitRow, search, unit_names, unit_row

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_ROWS = 50
MOST_HITS = 100
Kind = Literal["reminder", "chase", "returned", "extension", "weekly", "monthly"]
ItemKey = Annotated[
    Annotated[str, StringConstraints(max_length=120)] | None,
    BeforeValidator(empty_is_none),
    BeforeValidator(printable),
    Query(alias="item"),
]


class Span(StrEnum):
    """How far back the record is shown."""

    MONTH = "month"
    YEAR = "year"
    ALL = "all"


SPAN_NAMES = {Span.MONTH: "近30天", Span.YEAR: "近一年", Span.ALL: "全部"}
SPAN_DAYS = {Span.MONTH: 30, Span.YEAR: 366}


def asked(
    unit: Word = None,
    key: ItemKey = None,
    kind: Annotated[Kind | None, BeforeValidator(empty_is_none), Query()] = None,
    day: CivilDay = None,
    outcome: Annotated[Outcome | None, BeforeValidator(empty_is_none), Query()] = None,
    span: Annotated[Span | None, BeforeValidator(empty_is_none), Query()] = None,
) -> tuple[NoticeFilter, Span]:
    """What is asked for; where nothing narrows it much, of the last 30 days unless more is asked for."""
    few = unit or key or day
    return NoticeFilter(unit, key, kind, day, outcome), span or (Span.ALL if few else Span.MONTH)


Asked = Annotated[tuple[NoticeFilter, Span], Depends(asked)]


def kept(wanted: NoticeFilter, span: Span) -> dict[str, object]:
    """The filter as fields of an address."""
    facts = {"unit": wanted.unit, "item": wanted.key, "kind": wanted.kind, "day": wanted.day}
    return {**facts, "outcome": wanted.outcome, "span": span}


def since(wanted: NoticeFilter, span: Span, reading: Reading) -> NoticeFilter:
    days = SPAN_DAYS.get(span)
    return replace(wanted, since=reading.as_of - timedelta(days=days)) if days else wanted


@router.get("/reminders")
def show_reminders(
    session: Reads, reading: MaybePlan, ways: Ways, chosen: Asked, number: PageNumber = None
) -> Response:
    if reading is None:
        return page("empty.html", {})
    wanted, span = chosen
    number = number or 1
    skip = (number - 1) * PAGE_ROWS
    hits = _meant(session, reading, wanted.unit)
    if wanted.unit and len(hits) != 1:
        return _choice_page(session, reading, wanted, span, hits)
    wanted = replace(wanted, unit=hits[0].code if hits else None)
    found = notice_page(session, reading, since(wanted, span, reading), ways.sending, skip=skip, limit=PAGE_ROWS)
    context = {
        "here": "reminders",
        "wanted": wanted,
        "kept": kept(wanted, span),
        "span": span,
        "spans": SPAN_NAMES,
        "found": found,
        "number": number,
        "skip": skip,
        "unit_name": hits[0].name if hits else None,
        "kind_names": KIND_NAMES,
        "outcome_names_told": OUTCOME_NAMES,
        "tones": TONES,
        "way": ways.name,
        "ways_fault": ways.fault,
        "why_told": why,
        "whom": whom,
        "subject_of": subject,
    }
    return plan_page("reminders.html", reading, plans.plans(session), context)


def _meant(session: Session, reading: Reading, words: str | None) -> tuple[UnitRow, ...]:
    """The units that somebody may have meant: the one of this code, else those of exactly this name, else those found
    by it."""
    if words is None:
        return ()
    words = words.strip()
    if unit_names(session, frozenset({words}), reading.scope):
        return (unit_row(session, words),)
    hits = search(session, words, limit=MOST_HITS, scope=reading.scope)
    return tuple(one for one in hits if one.name == words) or hits


def _choice_page(
    session: Session, reading: Reading, wanted: NoticeFilter, span: Span, hits: tuple[UnitRow, ...]
) -> Response:
    names = unit_names(session, frozenset(one.parent for one in hits if one.parent))
    context = {"here": "reminders", "wanted": wanted, "kept": kept(wanted, span), "hits": hits, "parents": names}
    return plan_page("reminders_unit.html", reading, plans.plans(session), context)


@router.get("/reminders.csv")
def download_reminders(session: Reads, reading: OpenPlan, ways: Ways, chosen: Asked) -> Response:
    """All pages as CSV."""
    wanted = since(*chosen, reading)
    target: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    for lines in csv_lines(cells(notice_rows(session, reading, wanted, ways.sending), reading, ways.name)):
        target.write(lines.encode())
    return sent_file(target, "text/csv; charset=utf-8", f"催办记录{reading.as_of:%Y%m%d}.csv", "reminders.csv")
