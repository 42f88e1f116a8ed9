"""A past brought in as a whole: acts of long ago (a demonstration, an older system's records), written in bulk.

Every act goes through the transition table like any other; only the statements are fewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from ledger import tally
from ledger.acts import Actor
from ledger.civil import civil_date
from ledger.database import Session
from ledger.plans import plan_summary
from ledger.tables import entry, evidence, work_item
from policy_models.errors import NotFound, ReasonMissing
from policy_models.evidence import Evidence
from policy_models.lifecycle import ACT_NAMES, NEEDS_REASON, Act, State, advance

CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class PastAct:
    """One act on one item at an instant (UTC). The acts of one item are given in their order."""

    key: str
    act: Act
    by: Actor
    at: datetime
    note: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(slots=True)
class _Item:
    id: int
    state: State
    revision: int
    returns: int
    first_submitted_on: date | None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    reason: str | None = None
    changed_at: datetime | None = None


@dataclass(slots=True)
class _Rows:
    entries: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)


def record_history(session: Session, plan_code: str, acts: Iterable[PastAct]) -> int:
    """Record past acts of a plan and what they led to; how many. The tally is counted anew at the end.

    Raises NotFound, ActNotAllowed or ReasonMissing at the first act that cannot have been; nothing is kept then.
    """
    plan_id = plan_summary(session, plan_code).id
    items = _items(session, plan_id)
    touched: dict[int, _Item] = {}
    rows, count = _Rows(), 0
    for past in acts:
        item = items.get(past.key)
        if item is None:
            raise NotFound(f"没有编号为 {past.key} 的办理件")
        _apply(item, past, rows)
        touched[item.id] = item
        count += 1
        if len(rows.entries) >= CHUNK:
            _flush(session, rows)
    _flush(session, rows)
    _update(session, list(touched.values()))
    tally.rebuild(session, plan_id)
    return count


def _items(session: Session, plan_id: int) -> dict[str, _Item]:
    columns = (work_item.c.key, work_item.c.id, work_item.c.state, work_item.c.revision, work_item.c.returns)
    rows = session.execute(select(*columns, work_item.c.first_submitted_on).where(work_item.c.plan_id == plan_id))
    return {r.key: _Item(r.id, State(r.state), r.revision, r.returns, r.first_submitted_on) for r in rows}


def _apply(item: _Item, past: PastAct, rows: _Rows) -> None:
    if past.act in NEEDS_REASON and not past.note:
        raise ReasonMissing(f"{ACT_NAMES[past.act]}须写明理由：{past.key}")
    item.state = advance(item.state, past.act)
    item.revision += 1
    item.changed_at = past.at
    if past.act is Act.SUBMIT and item.first_submitted_on is None:
        item.first_submitted_on = civil_date(past.at)
    if past.act is Act.SEND_BACK:
        item.returns += 1
    if past.act is Act.ACCEPT:
        item.reviewed_by, item.reviewed_at = past.by.name, past.at
    if past.act in NEEDS_REASON:
        item.reason = past.note
    stamp = {"item_id": item.id, "revision": item.revision}
    rows.entries.append(
        {**stamp, "act": past.act.value, "state": item.state.value, "by_unit": past.by.unit, "by_name": past.by.name}
        | {"at": past.at, "note": past.note}
    )
    rows.evidence += [
        {**stamp, "type": e.type.value, "name": e.name, "value": e.value, "of": e.of, "text": e.text}
        for e in past.evidence
    ]


def _flush(session: Session, rows: _Rows) -> None:
    for table, waiting in ((entry, rows.entries), (evidence, rows.evidence)):
        if waiting:
            session.execute(insert(table), waiting)
            waiting.clear()


def _update(session: Session, items: list[_Item]) -> None:
    names = ("state", "revision", "returns", "first_submitted_on", "reviewed_by", "reviewed_at", "reason", "changed_at")
    values: dict[str, Any] = {name: bindparam(f"_{name}") for name in names}
    statement = update(work_item).where(work_item.c.id == bindparam("_id")).values(values)
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        session.execute(
            statement,
            [
                {"_id": item.id, **{f"_{n}": getattr(item, n) for n in names}, "_state": item.state.value}
                for item in chunk
            ],
        )
