"""The board's roll-up on a big ledger: from the tally, against a plain GROUP BY over the items in the same run."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import case, func, select

from api.board import board
from benchmarks.big_ledger import DAY, NOW, Ledger, big_ledger
from benchmarks.databases import Stage, opened
from benchmarks.measure import median, percentile, timed
from benchmarks.table import Result
from ledger import plans, reviews, tally
from ledger.acts import Actor
from ledger.database import Database, Session
from ledger.queries.reading import open_plan
from ledger.replay import is_late
from ledger.tables import requirement, unit, work_item
from ledger.timing_sql import timing_case
from policy_models.lifecycle import OWED
from policy_models.rollup import Count, roll_up
from policy_models.timing import RED_RETURNS, Thresholds, Timing

QUESTION = "board"
CALLS, PEER_CALLS, WHOLE_CALLS = 120, 6, 12
ACTS = 2_000
SEED = 150200


def measure(stage: Stage) -> list[Result]:
    """Three rows: the roll-up, the same after 2,000 single acts, and the whole board (which has no bound)."""
    ledger = big_ledger(stage, stage.items)
    with stage.copied(ledger.name) as url, opened(url) as database:
        _same(database, ledger.plan)
        results = [_row(stage, database, ledger, f"roll-up, {ledger.items:,} items")]
        acts = _act_singly(database, ledger.plan)
        _same(database, ledger.plan)
        results.append(_row(stage, database, ledger, f"the same, {acts:,} single acts later"))
        results.append(_whole(stage, database, ledger))
    return results


def _row(stage: Stage, database: Database, ledger: Ledger, figure: str) -> Result:
    ours: list[float] = []
    peer: list[float] = []
    _read(database, lambda session: _roll_up(session, ledger.plan))
    for _ in range(PEER_CALLS):  # by turns: twenty calls, then the peer
        ours += [_read(database, lambda session: _roll_up(session, ledger.plan)) for _ in range(CALLS // PEER_CALLS)]
        peer.append(_read(database, lambda session: counts_of_items(session, ledger.plan)))
    p50, p95 = percentile(ours, 0.5) * 1000, percentile(ours, 0.95) * 1000
    figure = f"{figure}: p95 (p50 {p50:.1f} ms)"
    beside = "GROUP BY over work_item"
    return Result(QUESTION, stage.kind, figure, p95, "ms", beside, median(peer) * 1000, "p95 < 100 ms", p95 < 100)


def _read(database: Database, act: Callable[[Session], object]) -> float:
    def whole() -> None:
        with database.read() as session:
            act(session)

    return timed(whole)


def _roll_up(session: Session, code: str) -> None:
    counts = tally.counts(session, code, DAY, now=NOW)
    roll_up(counts, lambda c: c.task)
    roll_up(counts, lambda c: (c.task, c.phase))
    roll_up(counts, lambda c: (c.county, c.task))


def counts_of_items(session: Session, code: str) -> list[Count]:
    """What ``tally.counts`` answers, counted over the items themselves."""
    plan, items = plans.plan_summary(session, code), work_item.c
    at = Thresholds.at(DAY, plans.calendars(session, code).work)
    often = items.returns >= RED_RETURNS
    stand = timing_case(items, at, late=is_late(items), often_returned=often).label("timing")
    due = func.sum(case((items.deadline <= DAY, 1), else_=0)).label("due")
    group: tuple[Any, ...] = (requirement.c.code, requirement.c.task, items.phase, unit.c.county, stand)
    rows = session.execute(
        select(*group, func.count().label("n"), due)
        .select_from(
            work_item.join(requirement, requirement.c.id == items.requirement_id).join(
                unit, unit.c.code == items.unit_code
            )
        )
        .where(items.plan_id == plan.id)
        .group_by(*group)
    )
    return [Count(r.code, r.task, r.phase, r.county, Timing(r.timing), r.n, int(r.due)) for r in rows]


def _same(database: Database, code: str) -> None:
    with database.read() as session:
        if set(tally.counts(session, code, DAY, now=NOW)) != set(counts_of_items(session, code)):
            raise RuntimeError("the tally and the items give different counts")


def _act_singly(database: Database, code: str) -> int:
    """Act on items one by one, a transaction each, with no compaction after it; on how many."""
    with database.read() as session:
        by = Actor(plans.plan_summary(session, code).coordinator, "办公室")
        owed = work_item.c.state.in_([state.value for state in OWED])
        keys = list(session.execute(select(work_item.c.key).where(owed).order_by(work_item.c.id)).scalars())
    chosen = random.Random(SEED).sample(keys, min(ACTS, len(keys)))
    for key in chosen:
        with database.write() as session:
            reviews.waive(session, key, by=by, now=NOW, reason="本期无此情形")
    return len(chosen)


def _whole(stage: Stage, database: Database, ledger: Ledger) -> Result:
    def show(session: Session) -> None:
        reading = open_plan(session, ledger.plan, as_of=DAY, now=NOW)
        if reading is None:
            raise RuntimeError("the ledger holds no plan")
        board(session, reading)

    times = [_read(database, show) * 1000 for _ in range(WHOLE_CALLS)]
    return Result(QUESTION, stage.kind, "everything on the board's page: median", median(times), "ms")
