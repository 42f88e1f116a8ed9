"""Issuing the whole plan for all units, against a bare bulk insert of the same rows into the same kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update

from benchmarks.big_ledger import pack_of, real_items, real_pack
from benchmarks.databases import Stage, opened
from benchmarks.measure import median, take_turns, timed
from benchmarks.table import Result
from ledger import issuing, loading
from ledger.civil import at_hour
from ledger.database import Database, Session
from ledger.tables import duty, entry, tally, work_item
from policy_models.plan_file import Pack

QUESTION, TEMPLATE = "issuing", "issuing"
WRITTEN = (work_item, entry, tally)
Rows = dict[str, list[Any]]


@dataclass(frozen=True)
class Ground:
    """A ledger with the plan's duties and not one item, and the plan that is issued into it."""

    stage: Stage
    code: str
    ends_on: date

    @contextmanager
    def fresh(self) -> Iterator[Database]:
        """A copy of it that has answered once: a connection's first words are not what is measured."""
        with self.stage.copied(TEMPLATE) as url, opened(url) as database:
            with database.read() as session:
                session.execute(select(func.count()).select_from(duty)).scalar_one()
            yield database


def measure(stage: Stage) -> list[Result]:
    """Three rows: the first run beside a bulk insert by SQLAlchemy and by the driver alone (ratio <= 3), and the second
    run (<= 0.1 of the first, inserts nothing)."""
    pack = real_pack() if stage.items >= real_items() else pack_of(stage.items)
    ground = _prepare(stage, pack)
    rows = _rows_of(ground, _read_core)
    again: list[float] = []
    raw = _rows_of(ground, _read_raw)
    first, core, driver = take_turns(
        stage.runs,
        lambda: _issue(ground, again),
        lambda: _insert(ground, rows, _write_core),
        lambda: _insert(ground, raw, _write_raw),
    )
    stage.place.drop(TEMPLATE)
    once, twice, figure = median(first), median(again), f"{len(rows['work_item']):,} items issued, first run"
    firsts = [
        Result(QUESTION, stage.kind, figure, once, "s", beside, bulk, "ratio <= 3", once <= 3 * bulk)
        for beside, bulk in (("bulk insert", median(core)), ("bulk insert, driver alone", median(driver)))
    ]
    figure = "second run, 0 rows inserted"
    second = Result(QUESTION, stage.kind, figure, twice, "s", "first run", once, "ratio <= 0.1", twice <= 0.1 * once)
    return [*firsts, second]


def _prepare(stage: Stage, pack: Pack) -> Ground:
    stage.place.create(TEMPLATE)
    start = pack.plan.starts_on
    with opened(stage.place.url(TEMPLATE)) as database, database.write() as session:
        loading.load_plan(session, pack, now=at_hour(start, 8), go_live_on=start)
        session.execute(delete(tally))
        session.execute(delete(work_item))
        session.execute(update(duty).values(scheduled_for=""))
    stage.place.settle(TEMPLATE)
    return Ground(stage, pack.plan.code, pack.plan.ends_on)


def _verbs(ground: Ground, database: Database) -> int:
    """The two steps that issue everything, a transaction each."""
    now = at_hour(ground.ends_on, 8)
    with database.write() as session:
        created = issuing.schedule_items(session, ground.code, now=now)
    with database.write() as session:
        return created + issuing.issue_due(session, ground.code, as_of=ground.ends_on, now=now)


def _issue(ground: Ground, again: list[float]) -> float:
    """Seconds of the first run; those of the second are added to ``again``."""
    with ground.fresh() as database:
        first = timed(lambda: _verbs(ground, database))
        before = _sizes(database)
        done: list[int] = []
        again.append(timed(lambda: done.append(_verbs(ground, database))))
        if done != [0] or _sizes(database) != before:
            raise RuntimeError(f"issuing twice is not issuing once: {done}, {before} became {_sizes(database)}")
        return first


def _sizes(database: Database) -> list[int]:
    with database.read() as session:
        return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in WRITTEN]


def _rows_of(ground: Ground, read: Callable[[Session, Table], list[Any]]) -> Rows:
    """Every row that issuing writes, as it stands afterwards, as ``read`` gives it."""
    with ground.fresh() as database:
        _verbs(ground, database)
        with database.read() as session:
            return {table.name: read(session, table) for table in WRITTEN}


def _read_core(session: Session, table: Table) -> list[Any]:
    return [dict(row._mapping) for row in session.execute(select(table).order_by(table.c.id))]


def _read_raw(session: Session, table: Table) -> list[Any]:
    """Tuples of what the driver itself hands over and takes, spared SQLAlchemy's work on each value."""
    names = ", ".join(f'"{column.name}"' for column in table.c)
    return [tuple(row) for row in session.exec_driver_sql(f"SELECT {names} FROM {table.name} ORDER BY id")]


def _write_core(session: Session, table: Table, rows: list[Any]) -> None:
    session.execute(insert(table), rows)


def _write_raw(session: Session, table: Table, rows: list[Any]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    mark = "?" if session.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(table.c))
    session.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)


def _insert(ground: Ground, rows: Rows, write: Callable[[Session, Table, list[Any]], None]) -> float:
    """The same rows into the same tables with the same indexes, in as many transactions; seconds."""

    def whole(database: Database) -> None:
        for tables in ((work_item,), (entry, tally)):
            with database.write() as session:
                for table in tables:
                    write(session, table, rows[table.name])

    with ground.fresh() as database:
        seconds = timed(lambda: whole(database))
        if _sizes(database) != [len(rows[table.name]) for table in WRITTEN]:
            raise RuntimeError("the bulk insert did not write the same rows")
        return seconds
