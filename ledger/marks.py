"""When each flow last finished: the ledger's own trace of being driven, which `doctor` and `/healthz` read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select, update

from ledger.database import Session
from ledger.tables import flow_mark


@dataclass(frozen=True, slots=True)
class Mark:
    """``as_of``: the civil date a flow last decided for; ``finished_at``: the UTC instant it ended."""

    as_of: date
    finished_at: datetime


def mark(session: Session, flow: str, *, as_of: date, now: datetime) -> None:
    """Note that a flow has finished."""
    values = {"as_of": as_of, "finished_at": now}
    met = session.execute(update(flow_mark).where(flow_mark.c.flow == flow).values(values))
    if met.rowcount == 0:
        session.execute(insert(flow_mark).values(flow=flow, **values))


def marks(session: Session) -> dict[str, Mark]:
    """The last mark of each flow, by its name."""
    return {row.flow: Mark(row.as_of, row.finished_at) for row in session.execute(select(flow_mark))}
