"""告知决定: what a reviewer decided reaches the unit with the act itself: the inbox, and its liaisons' own channels."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, String, bindparam, cast, literal, null, select

from ledger.civil import civil_date
from ledger.database import Session
from ledger.messages import EXTENSION, RETURNED
from ledger.queueing import Batch, queue_messages
from ledger.tables import extension, plan, work_item
from policy_models.ladder import Audience


def tell_returned(session: Session, item_ids: Collection[int], *, now: datetime) -> int:
    """Queue the news of a return that was just recorded on these items, one message for each unit and person however
    many of theirs it met; how many messages. Its lines name the item's revision: the entry has the reason and who."""
    met = work_item.c.id.in_(bindparam("ids", list(item_ids), expanding=True, literal_execute=True))
    lines = select(*_facts(work_item.c.revision)).where(met)
    return sum(
        queue_messages(session, batch, lines.where(work_item.c.plan_id == batch.plan_id))
        for batch in _batches(session, met, now)
    )


def tell_extension(session: Session, extension_id: int, *, now: datetime) -> int:
    """Queue the decision that was just recorded on a request for a later deadline; how many messages."""
    row = session.execute(
        select(work_item.c.id, work_item.c.plan_id, plan.c.code)
        .join(extension, extension.c.item_id == work_item.c.id)
        .join(plan, plan.c.id == work_item.c.plan_id)
        .where(extension.c.id == extension_id)
    ).one()
    batch = Batch(EXTENSION, row.plan_id, row.code, str(extension_id), civil_date(now), now, extension_id)
    return queue_messages(session, batch, select(*_facts(cast(null(), Integer))).where(work_item.c.id == row.id))


def _facts(revision: Any) -> list[Any]:
    """The columns of lines for those who report: told by their own unit's liaison."""
    return [
        work_item.c.unit_code.label("recipient"),
        literal(Audience.LIAISON.value, String).label("audience"),
        work_item.c.id.label("item_id"),
        cast(null(), Integer).label("reminder_id"),
        revision.label("revision"),
    ]


def _batches(session: Session, met: Any, now: datetime) -> list[Batch]:
    """One batch for each plan. An item is returned at a revision once, so its smallest item names the act."""
    rows = session.execute(
        select(plan.c.id, plan.c.code, work_item.c.id.label("item"), work_item.c.revision)
        .join(plan, plan.c.id == work_item.c.plan_id)
        .where(met)
        .order_by(work_item.c.id)
    )
    first: dict[int, Batch] = {}
    for row in rows:
        suffix = f"{row.item}-{row.revision}"
        first.setdefault(row.id, Batch(RETURNED, row.id, row.code, suffix, civil_date(now), now))
    return list(first.values())
