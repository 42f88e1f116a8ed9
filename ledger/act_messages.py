"""办理动态: other systems that have asked for it (a confirmed webhook with ``acts:``) are told of an act in the transaction
that does it: one message for each of them, with a line for each item. Rolled back, nothing was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from ledger.civil import civil_date
from ledger.database import Session
from ledger.scope import codes_within
from ledger.tables import channel, outbox, outbox_line, unit
from policy_models.act_events import ActEvent

KIND = "act"
MOST_LINES = 1000  # items in one message; more make several
CODES = 500  # units asked for in one statement


@dataclass(frozen=True, slots=True)
class Acted:
    """An item that an act met: ``revision``: the one that it has since."""

    item_id: int
    unit: str
    revision: int


@dataclass(frozen=True, slots=True)
class Place:
    """The plan that an act belongs to, and its coordinator, in whose name other systems listen."""

    plan_id: int
    plan_code: str
    coordinator: str


def tell_act(
    session: Session,
    event: ActEvent,
    place: Place,
    items: Sequence[Acted],
    *,
    now: datetime,
    extension_id: int | None = None,
    round_code: str | None = None,
) -> int:
    """Queue what happened for every channel that listens; how many messages. Of a channel with ``units`` those items
    alone that lie with them or below. One statement where nobody listens; a few, whatever the number of items, where
    somebody does."""
    listening = _listening(session, event) if items or round_code else []
    if not listening:
        return 0
    rows: list[dict[str, Any]] = []
    told: dict[str, Sequence[Acted]] = {}
    within = {units: _inside(session, units, items) for _, units in listening}
    suffix = round_code or f"{items[0].item_id}-{items[0].revision}" + (f"-x{extension_id}" if extension_id else "")
    for code, units in listening:
        mine = items if not units else [one for one in items if one.unit in within[units]]
        lots = [mine[start : start + MOST_LINES] for start in range(0, len(mine), MOST_LINES)]
        for number, lot in enumerate(lots if round_code is None else [()], 1):
            key = f"{KIND}:{place.plan_code}:{code}:{event}:{suffix}:{int(now.timestamp())}:{number}"[:160]
            told[key] = lot
            rows.append(_row(key, code, event, place, now, round_code))
    return _queue(session, rows, told, extension_id)


def _queue(
    session: Session, rows: list[dict[str, Any]], told: dict[str, Sequence[Acted]], extension_id: int | None
) -> int:
    if not rows:
        return 0
    made = session.execute(insert(outbox).returning(outbox.c.id, outbox.c.key), rows).all()
    lines = [
        {"message_id": row.id, "item_id": one.item_id, "revision": one.revision, "extension_id": extension_id}
        for row in made
        for one in told[row.key]
    ]
    if lines:
        session.execute(insert(outbox_line), lines)
    return len(rows)


def _row(key: str, code: str, event: ActEvent, place: Place, now: datetime, round_code: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "channel": code,
        "kind": KIND,
        "act": event.value,
        "round_code": round_code,
        "plan_id": place.plan_id,
        "recipient": place.coordinator,
        "as_of": civil_date(now),
        "queued_at": now,
        "next_try_at": now,
    }


def _listening(session: Session, event: ActEvent) -> list[tuple[str, str]]:
    """The confirmed channels that asked for it, each with the units that it is narrowed to ("" for all)."""
    asked = channel.c.acts.like(f"%,{event.value},%")
    rows = session.execute(
        select(channel.c.code, channel.c.units)
        .where(channel.c.confirmed_at.is_not(None), asked)
        .order_by(channel.c.code)
    )
    return [(row.code, row.units) for row in rows]


def _inside(session: Session, units: str, items: Sequence[Acted]) -> frozenset[str]:
    """The units of the items that are one of these, or lie below."""
    if not units:
        return frozenset()
    codes, found = sorted({one.unit for one in items}), set[str]()
    for start in range(0, len(codes), CODES):
        chosen = select(unit.c.code).where(unit.c.code.in_(codes[start : start + CODES]))
        found |= set(session.execute(chosen.where(unit.c.code.in_(codes_within(units.split(","))))).scalars())
    return frozenset(found)


def forget_others(session: Session, code: str, acts: Sequence[str]) -> int:
    """A channel listens to these acts from now on: what waits for it about others is not told; how much."""
    waiting = (outbox.c.channel == code, outbox.c.kind == KIND, outbox.c.state == "pending")
    others = update(outbox).where(*waiting, outbox.c.act.not_in(list(acts)))
    return int(session.execute(others.values(state="dropped", error="渠道不再订阅这类动态")).rowcount)
