"""日历片段: one item rendered for calendars, kept until something that it shows has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from ledger.database import Session
from ledger.tables import feed_fragment
from policy_models.feeds import Component

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Fragment:
    """``version``: of everything shown, see ``version_of``; ``digest``: SHA-256 (hex) of what a client would get.
    ``body`` ends where the alarm would stand; ``alarm`` is None where nothing is owed; ``lead``: days from the day to
    aim at to the deadline."""

    item_id: int
    component: Component
    version: str
    digest: str
    body: str
    alarm: str | None
    lead: int


def version_of(mark: str, revision: int, unit_version: int, plan_version: int) -> str:
    """What a fragment was rendered from. ``mark``: of the renderer and its settings, up to 16 characters."""
    return f"{mark}.{revision}.{unit_version}.{plan_version}"


def keep(session: Session, fragments: Iterable[Fragment]) -> None:
    """Store fragments in place of older ones. Raises ChangedMeanwhile when another stored the same ones first."""
    rows = [asdict(one) | {"component": one.component.value} for one in sorted(fragments, key=lambda one: one.item_id)]
    dialect: Any = postgresql if session.dialect.name == "postgresql" else sqlite
    for start in range(0, len(rows), CHUNK):
        added = dialect.insert(feed_fragment).values(rows[start : start + CHUNK])
        newer = {name: added.excluded[name] for name in ("version", "digest", "body", "alarm", "lead")}
        session.execute(added.on_conflict_do_update(index_elements=["item_id", "component"], set_=newer))
