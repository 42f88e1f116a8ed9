"""What routes are given: the transaction, the clock (the room's only one), the plan being read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Form, Path, Query, Request
from pydantic import BeforeValidator

from api import visit
from api.noting import NotingDatabase
from ledger.acts import Actor
from ledger.civil import civil_date
from ledger.database import Database, Session
from ledger.file_store import FileStore
from ledger.queries.reading import Reading, open_plan
from ledger.queries.units import unit_row
from ledger.settings import Settings
from policy_models.errors import NotFound, NotResponsible

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2090, 12, 31)  # what the calendars can answer for


@dataclass(frozen=True)
class Clock:
    """Real UTC time, or a virtual instant that runs on from the start of the process (demonstrations)."""

    virtual: datetime | None = None
    started: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        if self.virtual is None:
            return datetime.now(UTC)
        return self.virtual.astimezone(UTC) + timedelta(seconds=time.monotonic() - self.started)


def civil(value: object) -> object:
    """A civil date as a person writes it into an address; empty means none given."""
    if value is None or value == "":
        return None
    text = str(value).strip()
    found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    if not found:
        raise ValueError(f"日期须写作 2025-06-30 的样子，现为“{text[:20]}”")
    year, month, day = map(int, found.groups())
    try:
        wanted = date(year, month, day)
    except ValueError:
        raise ValueError(f"没有{year}年{month}月{day}日这一天，请核对日期") from None
    if not FIRST_DAY <= wanted <= LAST_DAY:
        raise ValueError(f"日期须在{FIRST_DAY.year}年至{LAST_DAY.year}年之间，现为“{text[:20]}”")
    return wanted


def empty_is_none(value: object) -> object:
    """A form sends every field; an empty one asks for nothing."""
    return None if value == "" else value


def printable(value: object) -> object:
    """Words as people write them: databases refuse NUL and lone surrogates, each in its own way."""
    if isinstance(value, str) and any(not c.isprintable() for c in value):
        raise ValueError("地址中含有不能识别的字符，请核对后重新输入")
    return value


CivilDay = Annotated[date | None, BeforeValidator(civil), Query()]
AsOf = Annotated[date | None, BeforeValidator(civil), Query(description="截至日期，如 2025-06-30；不写为今日")]
PlanCode = Annotated[
    str | None,
    BeforeValidator(empty_is_none),
    BeforeValidator(printable),
    Query(alias="plan", description="方案代码；不写为现行方案"),
]


# What only looks something up is ``async``: else each of them would go through a thread of its own.
async def now(request: Request) -> datetime:
    """The instant of the request, in UTC."""
    clock: Clock = request.app.state.clock
    return clock.now()


async def database(request: Request, now: Annotated[datetime, Depends(now)]) -> Database:
    return NotingDatabase(request.app.state.database, now)


async def settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


def reading_session(database: Annotated[Database, Depends(database)]) -> Iterator[Session]:
    with database.read() as session:
        yield session


def writing_session(database: Annotated[Database, Depends(database)]) -> Iterator[Session]:
    with database.write() as session:
        yield session


# scope="function": the transaction ends before the answer is sent, not after it
Reads = Annotated[Session, Depends(reading_session, scope="function")]
Writes = Annotated[Session, Depends(writing_session, scope="function")]
Now = Annotated[datetime, Depends(now)]
Deployed = Annotated[Settings, Depends(settings)]
Ledger = Annotated[Database, Depends(database)]


def open_reading(session: Session, plan: str | None, *, as_of: date | None, now: datetime) -> Reading | None:
    """``open_plan`` within what the visitor may see."""
    return open_plan(session, plan, as_of=as_of, now=now, scope=visit.current().scope)


def opened(session: Reads, now: Now, as_of: AsOf = None, plan: PlanCode = None) -> Reading | None:
    return open_reading(session, plan, as_of=as_of, now=now)


async def required(reading: Annotated[Reading | None, Depends(opened)]) -> Reading:
    if reading is None:
        raise NotFound("台账中还没有方案，请先载入方案（lucheng plan load）")
    return reading


MaybePlan = Annotated[Reading | None, Depends(opened)]
OpenPlan = Annotated[Reading, Depends(required)]


async def file_store(settings: Annotated[Settings, Depends(settings)]) -> FileStore:
    return FileStore(settings.file_dir)


Files = Annotated[FileStore, Depends(file_store)]
UnitCode = Annotated[str, BeforeValidator(printable), Path(max_length=24)]


def acting(
    session: Reads,
    now: Now,
    code: UnitCode,
    by_name: Annotated[str, BeforeValidator(printable), Form(max_length=40)] = "",
) -> Actor:
    """Who acts: the unit whose desk (``/units/{code}/…``) the form stands on, and the person it names, else the one who
    is signed in. The guard has decided that they may act for it."""
    own = unit_row(session, code)
    if own.is_closed(civil_date(now)):
        raise NotResponsible(f"{own.name}已停用，不能办理")
    visitor = visit.current().visitor
    return Actor(own.code, by_name.strip() or (visitor.name if visitor else f"{own.name}经办人"))


Acting = Annotated[Actor, Depends(acting)]
