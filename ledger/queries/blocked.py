"""What the privacy gate stopped: contents of files that a coordinator may look into, and what was let in by exception."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ledger.database import Session
from ledger.tables import privacy_exception, screening, unit

FILE_PLACE = "文件 "  # how a place begins where a file was stopped (files.place)
KINDS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who let a content in, when (UTC) and why."""

    by_name: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Blocked:
    """A content that was stopped: where it was met last, masked samples by kind, how often, by which unit last."""

    sha256: str
    place: str
    samples: tuple[tuple[str, str], ...]
    times: int
    unit: str
    unit_name: str
    last_at: datetime
    exception: Allowed | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The newest contents of files, how many there are in all, and how many texts were stopped beside them."""

    files: tuple[Blocked, ...]
    total: int
    texts: int


def gate(session: Session, *, limit: int = 100) -> Gate:
    """What was stopped, the newest first. Three statements."""
    met = screening.c
    of_files = (met.outcome == "blocked", met.place.like(f"{FILE_PLACE}%"))
    last = (
        select(func.max(met.id).label("id"), func.count().label("times")).where(*of_files).group_by(met.sha256)
    ).subquery("last")
    rows = session.execute(
        select(
            screening,
            last.c.times,
            unit.c.name.label("unit_name"),
            privacy_exception.c.by_name,
            privacy_exception.c.reason,
            privacy_exception.c.at.label("allowed_at"),
        )
        .join(last, last.c.id == met.id)
        .outerjoin(unit, unit.c.code == met.by_unit)
        .outerjoin(privacy_exception, privacy_exception.c.sha256 == met.sha256)
        .order_by(met.id.desc())
        .limit(limit)
    ).all()
    total = session.execute(select(func.count()).select_from(last)).scalar_one()
    texts = select(func.count()).where(met.outcome == "blocked", ~met.place.like(f"{FILE_PLACE}%"))
    return Gate(
        tuple(
            Blocked(
                row.sha256,
                row.place,
                _samples(row.findings),
                row.times,
                row.by_unit,
                row.unit_name or row.by_unit,
                row.at,
                Allowed(row.by_name, row.reason, row.allowed_at) if row.by_name else None,
            )
            for row in rows
        ),
        total,
        session.execute(texts).scalar_one(),
    )


def _samples(findings: str) -> tuple[tuple[str, str], ...]:
    told = [(one["kind"], one["sample"]) for one in json.loads(findings)]
    return tuple(dict.fromkeys(told))[:KINDS_SHOWN]
