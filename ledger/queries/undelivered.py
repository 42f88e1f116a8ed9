"""发件箱: what has not arrived, with the reason: dead, uncertain, and waiting messages of every plan and kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select

from ledger.database import Session
from ledger.queries.items import NO_PAGE
from ledger.queries.outcomes import Outcome, Sending, standing_of
from ledger.queries.reading import Reading
from ledger.tables import outbox, outbox_line, person, plan, unit
from policy_models.delivery import MessageState
from policy_models.errors import NotFound


class Pile(StrEnum):
    """The messages of the page, those first that need a person."""

    UNCERTAIN = "uncertain"
    DEAD = "dead"
    WAITING = "waiting"


PILE_NAMES = {Pile.UNCERTAIN: "不能确定是否送达", Pile.DEAD: "未能送达", Pile.WAITING: "等待发送"}
STATES = {
    Pile.UNCERTAIN: (MessageState.UNCERTAIN.value,),
    Pile.DEAD: (MessageState.DEAD.value,),
    Pile.WAITING: (MessageState.PENDING.value, MessageState.CLAIMED.value),
}


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that has not arrived, as far as is known. ``recipient`` is None for an answer to a letter; ``items``: of
    how many it speaks; ``coordinator``: of its plan, who may have it sent again. Instants are UTC."""

    id: int
    kind: str
    channel: str
    plan: str | None
    coordinator: str | None
    recipient: str | None
    recipient_name: str | None
    person_name: str | None
    items: int
    state: MessageState
    outcome: Outcome
    attempts: int
    error: str | None
    queued_at: datetime
    next_try_at: datetime
    resent_by: str | None


@dataclass(frozen=True, slots=True)
class UndeliveredPage:
    """``counts``: of each pile; ``why``: of what waits, how many for which reason."""

    pile: Pile
    rows: tuple[Undelivered, ...]
    total: int
    counts: dict[Pile, int]
    why: dict[Outcome, int]


def undelivered_page(
    session: Session,
    reading: Reading,
    sending: Sending,
    pile: Pile | None,
    *,
    channel: str | None = None,
    outcome: Outcome | None = None,
    skip: int,
    limit: int,
) -> UndeliveredPage:
    """A page of one pile (None: of the first that holds something), the newest first; waiting ones in the order they
    are tried. Three statements.

    Raises NotFound behind the last page.
    """
    standing = standing_of(session, reading, sending)
    counts, why = _counts(session, standing, channel)
    pile = pile or next((one for one in Pile if counts[one]), Pile.WAITING)
    total = counts[pile] if outcome is None else why.get(outcome, 0)
    if skip and skip >= total:
        raise NotFound(NO_PAGE)
    where = [outbox.c.state.in_(STATES[pile]), *_of_channel(channel)]
    if outcome is not None:
        where.append(standing == outcome.value)
    order = (outbox.c.next_try_at, outbox.c.id) if pile is Pile.WAITING else (outbox.c.id.desc(),)
    chosen = _chosen(standing).where(*where).order_by(*order).limit(limit).offset(skip)
    return UndeliveredPage(pile, tuple(map(_row, session.execute(chosen))), total, counts, why)


def _of_channel(channel: str | None) -> list[ColumnElement[bool]]:
    return [outbox.c.channel == channel] if channel else []


def _counts(
    session: Session, standing: ColumnElement[Any], channel: str | None
) -> tuple[dict[Pile, int], dict[Outcome, int]]:
    every = [state for states in STATES.values() for state in states]
    found = (
        select(outbox.c.state, standing.label("outcome"))
        .where(outbox.c.state.in_(every), *_of_channel(channel))
        .subquery()
    )
    rows = session.execute(select(found, func.count().label("n")).group_by(*found.c)).all()
    counts = {pile: sum(int(r.n) for r in rows if r.state in states) for pile, states in STATES.items()}
    why: dict[Outcome, int] = {}
    for row in rows:
        if row.state in STATES[Pile.WAITING]:
            why[Outcome(row.outcome)] = why.get(Outcome(row.outcome), 0) + int(row.n)
    return counts, why


def _chosen(standing: ColumnElement[Any]) -> Any:
    items = (
        select(func.count())
        .where(outbox_line.c.message_id == outbox.c.id, outbox_line.c.omitted.is_(None))
        .scalar_subquery()
    )
    return select(
        outbox,
        plan.c.code.label("plan"),
        plan.c.coordinator,
        unit.c.name.label("recipient_name"),
        person.c.name.label("person_name"),
        items.label("items"),
        standing.label("outcome"),
    ).select_from(
        outbox.outerjoin(plan, plan.c.id == outbox.c.plan_id)
        .outerjoin(unit, unit.c.code == outbox.c.recipient)
        .outerjoin(person, person.c.id == outbox.c.person_id)
    )


def _row(row: Any) -> Undelivered:
    return Undelivered(
        row.id,
        row.kind,
        row.channel,
        row.plan,
        row.coordinator,
        row.recipient,
        row.recipient_name,
        row.person_name,
        int(row.items),
        MessageState(row.state),
        Outcome(row.outcome),
        row.attempts,
        row.error,
        row.queued_at,
        row.next_try_at,
        row.resent_by,
    )
