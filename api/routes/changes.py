"""两日之间的变化: what was newly done, late, opened, returned or moved between two days, and the items of each number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator

from api.changes import CHANGE_NAMES, CITY, Changes, cells, changes, choices, days_wanted
from api.dependencies import Now, PlanCode, Reads, civil, open_reading
from api.guard import Guarded
from api.pages import address, page, plan_page
from api.routes.item import PageNumber, Word
from api.sent_files import IN_MEMORY, sent_file
from documents.cells import csv_lines
from ledger import plans, tally
from ledger.civil import civil_date
from ledger.database import Session
from ledger.queries.changes import Change, change_counts, changed_items, last_circular
from ledger.queries.reading import Reading
from ledger.queries.units import counties, unit_names
from policy_models.errors import NotFound

router = APIRouter(route_class=Guarded, include_in_schema=False)
PAGE_ROWS = 50
Since = Annotated[date | None, BeforeValidator(civil), Query(alias="from", description="起始日期，如 2025-06-01")]
Until = Annotated[date | None, BeforeValidator(civil), Query(alias="to", description="截止日期，如 2025-06-30")]


@dataclass(frozen=True)
class Pair:
    """The plan as of the later day, and the earlier day; no reading where the ledger holds no plan."""

    reading: Reading | None
    since: date
    until: date


def asked(session: Reads, now: Now, since: Since = None, until: Until = None, plan: PlanCode = None) -> Pair:
    first, last = days_wanted(since, until, civil_date(now))
    return Pair(open_reading(session, plan, as_of=last, now=now), first, last)


Asked = Annotated[Pair, Depends(asked)]


@router.get("/changes")
def show_changes(session: Reads, pair: Asked) -> Response:
    reading = pair.reading
    if reading is None:
        return page("empty.html", {})
    found = _found(session, reading, pair.since)
    today = civil_date(reading.now)

    def link_at(day: date, path: str, **query: object) -> str:
        return address(path, **query, plan=reading.summary.code, as_of=day if day != today else None)

    context = {
        "here": "changes",
        "since": pair.since,
        "until": pair.until,
        "found": found,
        "names": CHANGE_NAMES,
        "choices": choices(today, last_circular(session, reading)),
        "days": {"from": pair.since, "to": pair.until},
        "link_at": link_at,
        "keep": lambda path, **query: address(
            path, **query, **{"from": pair.since, "to": pair.until}, plan=reading.summary.code
        ),
    }
    return plan_page("changes.html", reading, plans.plans(session), context)


def _found(session: Session, reading: Reading, since: date) -> Changes:
    after = tally.counts(session, reading.summary.code, reading.as_of, now=reading.now, scope=reading.scope)
    return changes(reading, change_counts(session, reading, since), after, counties(session, reading.scope))


@router.get("/changes.csv")
def download_changes(session: Reads, pair: Asked) -> Response:
    reading = _required(pair)
    target: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    for lines in csv_lines(cells(_found(session, reading, pair.since), pair.since, pair.until)):
        target.write(lines.encode())
    name = f"两日变化{pair.since:%Y%m%d}-{pair.until:%Y%m%d}.csv"
    return sent_file(target, "text/csv; charset=utf-8", name, "changes.csv")


@router.get("/changes/items")
def show_changed_items(
    session: Reads,
    pair: Asked,
    change: Annotated[Change, Query()],
    section: Word = None,
    under: Word = None,
    number: PageNumber = None,
) -> Response:
    """The items behind one number, as they stood on the later day."""
    reading = _required(pair)
    if section and reading.section(section) is None:
        raise NotFound(f"方案中没有“{section}”这一部分，请从两日变化页面重新进入")
    number = number or 1
    skip = (number - 1) * PAGE_ROWS
    area = "" if under == CITY else under
    found = changed_items(session, reading, pair.since, change, section=section, under=area, skip=skip, limit=PAGE_ROWS)
    if skip and not found.rows:
        raise NotFound("没有这一页，请从第一页重新查看")
    kept: dict[str, object] = {
        "from": pair.since,
        "to": pair.until,
        "change": change,
        "section": section,
        "under": under,
    }
    context = {
        "here": "changes",
        "since": pair.since,
        "until": pair.until,
        "name": CHANGE_NAMES[change],
        "section": section,
        "area": "市级" if under == CITY else unit_names(session, frozenset({under})).get(under, under) if under else "",
        "found": found,
        "number": number,
        "skip": skip,
        "page_link": lambda to: address("/changes/items", **kept, page=to, plan=reading.summary.code),
        "back": address("/changes", **{"from": pair.since, "to": pair.until}, plan=reading.summary.code),
    }
    return plan_page("changes_items.html", reading, plans.plans(session), context)


def _required(pair: Pair) -> Reading:
    if pair.reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    return pair.reading
