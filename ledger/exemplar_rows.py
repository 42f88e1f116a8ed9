"""优秀案例 as it stands, and its entries: what verbs and queries about exemplars share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from ledger.acts import Actor
from ledger.database import Session
from ledger.tables import exemplar, exemplar_entry, exemplar_picture, file, plan, unit
from policy_models.errors import NotFound
from policy_models.exemplars import Content, ExemplarState
from policy_models.files import FileKind

CONTENT = tuple(Content.__dataclass_fields__)
NO_EXEMPLAR = "没有这篇案例，地址可能不完整或已失效"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One exemplar as it stands. ``version``: counts saved texts and submissions, not the coordinator's acts;
    ``changed_at``, ``submitted_at``, ``published_at``: UTC instants."""

    id: int
    plan_id: int
    plan_code: str
    coordinator: str
    round_code: str
    unit: str
    unit_name: str
    county: str
    content: Content
    state: ExemplarState
    reason: str | None
    version: int
    changed_at: datetime
    changed_by: str
    submitted_at: datetime | None
    published_at: datetime | None
    published_by: str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """``shown``: SHA-256 of the bytes that others see; ``kept``: of those that the sending unit sees."""

    id: int
    exemplar_id: int
    file_id: int
    caption: str
    kind: FileKind
    shown: str
    kept: str
    confirmed_by: str


def chosen() -> Any:
    """A select of everything that ``exemplar_from`` reads."""
    return (
        select(exemplar, plan.c.code.label("plan_code"), plan.c.coordinator, unit.c.name.label("unit_name"))
        .add_columns(unit.c.county)
        .join(plan, plan.c.id == exemplar.c.plan_id)
        .join(unit, unit.c.code == exemplar.c.unit_code)
    )


def exemplar_from(row: Any) -> Exemplar:
    return Exemplar(
        id=row.id,
        plan_id=row.plan_id,
        plan_code=row.plan_code,
        coordinator=row.coordinator,
        round_code=row.round_code,
        unit=row.unit_code,
        unit_name=row.unit_name,
        county=row.county,
        content=Content(**{name: getattr(row, name) for name in CONTENT}),
        state=ExemplarState(row.state),
        reason=row.reason,
        version=row.version,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        submitted_at=row.submitted_at,
        published_at=row.published_at,
        published_by=row.published_by,
    )


def exemplar_row(session: Session, exemplar_id: int) -> Exemplar:
    """Raises NotFound."""
    row = session.execute(chosen().where(exemplar.c.id == exemplar_id)).first()
    if row is None:
        raise NotFound(NO_EXEMPLAR)
    return exemplar_from(row)


def pictures_of(session: Session, exemplar_ids: Sequence[int]) -> dict[int, tuple[Picture, ...]]:
    """The pictures of each of these exemplars, in the order they were added: one statement."""
    rows = session.execute(
        select(exemplar_picture, file.c.kind, file.c.kept, file.c.redacted)
        .join(file, file.c.id == exemplar_picture.c.file_id)
        .where(exemplar_picture.c.exemplar_id.in_(exemplar_ids))
        .order_by(exemplar_picture.c.id)
    )
    found: dict[int, tuple[Picture, ...]] = dict.fromkeys(exemplar_ids, ())
    for r in rows:
        one = Picture(
            r.id, r.exemplar_id, r.file_id, r.caption, FileKind(r.kind), r.redacted or r.kept, r.kept, r.confirmed_by
        )
        found[r.exemplar_id] += (one,)
    return found


def append_entry(
    session: Session, one: Exemplar, state: ExemplarState, *, by: Actor, now: datetime, note: str | None, version: int
) -> None:
    """Note a change of state with the content as it stands at that moment."""
    pictures = [{"file_id": p.file_id, "caption": p.caption} for p in pictures_of(session, [one.id])[one.id]]
    content = {**asdict(one.content), "pictures": pictures, "version": version}
    session.execute(
        insert(exemplar_entry).values(
            exemplar_id=one.id,
            state=state.value,
            by_unit=by.unit,
            by_name=by.name,
            at=now,
            note=note,
            content=json.dumps(content, ensure_ascii=False, sort_keys=True),
        )
    )
