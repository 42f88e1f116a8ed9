"""优秀案例 as pages and documents read them: as they stood at any moment, lists, one with its history."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ledger.database import Session
from ledger.exemplar_rows import CONTENT
from ledger.tables import exemplar, exemplar_entry, unit
from policy_models.exemplars import SENT, Content, ExemplarState


@dataclass(frozen=True, slots=True)
class PictureThen:
    """A picture that an exemplar had: which file, and the words below it."""

    file_id: int
    caption: str


@dataclass(frozen=True, slots=True)
class ExemplarThen:
    """An exemplar as it stood: ``at`` is the UTC instant of its last change of state up to then."""

    id: int
    unit: str
    unit_name: str
    state: ExemplarState
    at: datetime
    content: Content
    pictures: tuple[PictureThen, ...]


def exemplars_at(
    session: Session,
    plan_id: int,
    round_code: str,
    *,
    until: datetime,
    states: Collection[ExemplarState] = SENT,
) -> tuple[ExemplarThen, ...]:
    """The exemplars of a half-year (``2025-H1``) as they stood before the UTC instant ``until``, those that were in
    one of ``states`` then (default: handed in, short-listed or published), by unit and order of writing.

    Told from their entries alone, so that the same moment always gives the same. One statement.
    """
    mine = (exemplar.c.plan_id == plan_id, exemplar.c.round_code == round_code)
    last = (
        select(func.max(exemplar_entry.c.id))
        .join(exemplar, exemplar.c.id == exemplar_entry.c.exemplar_id)
        .where(*mine, exemplar_entry.c.at < until)
        .group_by(exemplar_entry.c.exemplar_id)
    )
    rows = session.execute(
        select(exemplar_entry, exemplar.c.unit_code, unit.c.name.label("unit_name"))
        .join(exemplar, exemplar.c.id == exemplar_entry.c.exemplar_id)
        .join(unit, unit.c.code == exemplar.c.unit_code)
        .where(exemplar_entry.c.id.in_(last), exemplar_entry.c.state.in_([state.value for state in states]))
        .order_by(exemplar.c.unit_code, exemplar.c.id)
    )
    return tuple(map(_then, rows))


def _then(row: Any) -> ExemplarThen:
    told = json.loads(row.content)
    return ExemplarThen(
        row.exemplar_id,
        row.unit_code,
        row.unit_name,
        ExemplarState(row.state),
        row.at,
        Content(**{name: told[name] for name in CONTENT}),
        tuple(PictureThen(one["file_id"], one["caption"]) for one in told["pictures"]),
    )
