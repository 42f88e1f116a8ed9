"""A unit's own files, whichever item they were sent for: one file may serve several items."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, union_all

from ledger.database import Session
from ledger.files import StoredFile, stored_from
from ledger.tables import draft_evidence, evidence, file, work_item

SHOWN = 300  # files offered at once


@dataclass(frozen=True, slots=True)
class UsedFile:
    """``name``: as it was last called."""

    file: StoredFile
    name: str


def files_of(
    session: Session,
    units: Collection[str],
    *,
    since: datetime | None = None,
    ids: Collection[int] | None = None,
    limit: int | None = SHOWN,
) -> tuple[UsedFile, ...]:
    """Files that these units sent, or that items of these units use; the newest first. One statement."""
    uses = union_all(
        *(
            select(used.c.file_id, used.c.file_name, work_item.c.unit_code, used.c.id.label("place"))
            .join(work_item, work_item.c.id == used.c.item_id)
            .where(used.c.file_id.is_not(None), work_item.c.unit_code.in_(units))
            for used in (draft_evidence, evidence)
        )
    ).subquery("uses")
    chosen = select(file, uses.c.file_name).outerjoin(uses, uses.c.file_id == file.c.id)
    chosen = chosen.where(or_(file.c.by_unit.in_(units), uses.c.unit_code.is_not(None)))
    if since is not None:
        chosen = chosen.where(file.c.kept_at >= since)
    if ids is not None:
        chosen = chosen.where(file.c.id.in_(ids))
    found: dict[int, UsedFile] = {}
    for row in session.execute(chosen.order_by(file.c.kept_at.desc(), file.c.id.desc(), uses.c.place.desc())):
        found.setdefault(row.id, UsedFile(stored_from(row), row.file_name or f"文件{row.id}.{row.kind}"))
        if limit is not None and len(found) >= limit:
            break
    return tuple(found.values())
