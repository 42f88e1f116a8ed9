"""操作记录 as it is read: newest first, narrowed by the scope and by what is asked for, a page from where the last ended.

Each way to narrow has its index in order of time, so that a page of a million lines costs what a page of a thousand does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, true

from ledger.civil import at_hour
from ledger.database import Session
from ledger.planner import aside
from ledger.scope import codes_within
from ledger.tables import audit, unit
from policy_models.access import Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the trail is asked for; empty asks for all. ``first`` and ``last``: civil dates, both included."""

    account: str = ""
    act: str = ""
    unit: str = ""
    first: date | None = None
    last: date | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One act: who (``account`` "" for the machine itself), what, to what, from where; not ``done``: it was refused."""

    id: int
    at: datetime
    account: str
    by_name: str
    act: str
    unit: str
    unit_name: str
    object: str
    detail: str
    address: str
    done: bool


@dataclass(frozen=True, slots=True)
class TrailPage:
    """``cursor``: where the next page begins; "" where there is none."""

    lines: tuple[TrailLine, ...]
    cursor: str


def trail_page(session: Session, scope: Scope, wanted: Wanted, *, cursor: str = "", limit: int = 50) -> TrailPage:
    """A page of the trail within the scope: one statement. A cursor that is none begins at the newest line."""
    place = _place(cursor)
    if session.dialect.name == "postgresql" and not (scope.is_whole or wanted.account or wanted.refused):
        newest = _newest_of_each(scope, wanted, place, limit + 1)
        source, order = newest.join(audit, audit.c.id == newest.c.id), (newest.c.at.desc(), newest.c.id.desc())
        chosen: list[ColumnElement[bool]] = []
    else:
        chosen, latest = _here_and_there(scope, wanted, place)
        source, order = audit, (latest.desc(), audit.c.id.desc())
    rows = session.execute(
        select(audit, func.coalesce(unit.c.name, "").label("unit_name"))
        .select_from(source.outerjoin(unit, unit.c.code == audit.c.unit_code))
        .where(*chosen)
        .order_by(*order)
        .limit(limit + 1)
    ).all()
    lines = tuple(map(_line, rows[:limit]))
    return TrailPage(lines, _cursor(lines[-1]) if len(rows) > limit else "")


def _here_and_there(
    scope: Scope, wanted: Wanted, place: tuple[datetime, int] | None
) -> tuple[list[ColumnElement[bool]], ColumnElement[Any]]:
    """The conditions, and the time to order by, each so that the index that serves best is taken."""
    chosen = _narrowed(wanted, place)
    if scope.is_whole or wanted.account or wanted.refused:
        return [*chosen, _seen(scope, aside(audit.c.unit_code))], audit.c.at  # rarer than the scope's lines
    # by time alone SQLite would walk all of the act
    latest: ColumnElement[Any] = func.coalesce(audit.c.at, audit.c.at) if wanted.act else audit.c.at
    return [*chosen, _seen(scope, audit.c.unit_code)], latest


def _seen(scope: Scope, code: ColumnElement[str]) -> ColumnElement[bool]:
    return true() if scope.roots is None else code.in_(codes_within(scope.roots))


def _newest_of_each(scope: Scope, wanted: Wanted, place: tuple[datetime, int] | None, limit: int) -> Any:
    """The ids of the newest lines of every unit of the scope, and of these the newest: PostgreSQL would otherwise walk
    the whole trail for a county that does little."""
    codes = codes_within(scope.roots or ()).subquery("codes")
    one = audit.alias("one")
    mine = select(one.c.id, one.c.at).where(one.c.unit_code == codes.c.code, *_narrowed(wanted, place, one.c))
    newest = mine.order_by(one.c.at.desc(), one.c.id.desc()).limit(limit).lateral("newest")
    joined = select(newest.c.id, newest.c.at).select_from(codes.join(newest, true()))
    return joined.order_by(newest.c.at.desc(), newest.c.id.desc()).limit(limit).subquery("of_all")


def acts_in_trail(session: Session) -> tuple[str, ...]:
    """Every name of an act that the trail holds, in order: from one to the next along the index."""
    names = select(func.min(audit.c.act).label("act")).cte("names", recursive=True)
    after = select(func.min(audit.c.act)).where(audit.c.act > names.c.act).scalar_subquery()
    names = names.union_all(select(after).where(names.c.act.is_not(None)))
    return tuple(session.execute(select(names.c.act).where(names.c.act.is_not(None))).scalars())


def _narrowed(wanted: Wanted, place: tuple[datetime, int] | None, columns: Any = audit.c) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if wanted.account:
        chosen.append(columns.account == wanted.account)
    if wanted.act:
        chosen.append(columns.act == wanted.act)
    if wanted.unit:
        chosen.append(columns.unit_code == wanted.unit)
    if wanted.first:
        chosen.append(columns.at >= at_hour(wanted.first, 0))
    if wanted.last:
        chosen.append(columns.at < at_hour(wanted.last + timedelta(days=1), 0))
    if wanted.refused:
        chosen.append(~columns.done)
    if place is not None:
        at, id = place
        chosen.append(or_(columns.at < at, and_(columns.at == at, columns.id < id)))
        chosen.append(columns.at <= at)  # the same once more, as an index can take it
    return chosen


def _cursor(line: TrailLine) -> str:
    return f"{(line.at - EPOCH) // timedelta(microseconds=1)}-{line.id}"


def _place(cursor: str) -> tuple[datetime, int] | None:
    at, _, id = cursor.partition("-")
    if not (at.isascii() and at.isdecimal() and id.isascii() and id.isdecimal() and len(at) <= 16 and len(id) <= 18):
        return None
    return EPOCH + timedelta(microseconds=int(at)), int(id)


def _line(row: Row[Any]) -> TrailLine:
    return TrailLine(
        row.id,
        row.at,
        row.account,
        row.by_name,
        row.act,
        row.unit_code,
        row.unit_name,
        row.object,
        row.detail,
        row.address,
        bool(row.done),
    )
