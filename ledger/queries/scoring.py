"""盲评 as pages read it: how far the panel is, the scores once they may be told, and what one reviewer has to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from ledger.database import Session
from ledger.exemplar_rows import Exemplar
from ledger.panels import Panelist
from ledger.tables import panel, panelist, score, unit
from policy_models.exemplars import SENT
from policy_models.plan import Level
from policy_models.scoring import Ranked, ranked


@dataclass(frozen=True, slots=True)
class Seat:
    """A reviewer of a panel: ``due`` exemplars are to be scored, ``scored`` are, in the text as it now stands."""

    panelist: Panelist
    unit_name: str | None
    due: int
    scored: int


@dataclass(frozen=True, slots=True)
class Remark:
    """What one reviewer gave, and why."""

    by: str
    points: int
    comment: str


@dataclass(frozen=True)
class PanelView:
    """The panel of a half-year. ``ranking`` and ``remarks`` (by exemplar) are None until scores may be told: when every
    reviewer has scored everything, or the panel is closed."""

    opened_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    seats: tuple[Seat, ...]
    ranking: tuple[Ranked, ...] | None
    remarks: dict[int, tuple[Remark, ...]] | None

    @property
    def active(self) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if seat.panelist.revoked_at is None)

    @property
    def settled(self) -> bool:
        """Whether exemplars may be picked: closed, or nobody was to score."""
        return self.closed_at is not None or not self.active


@dataclass(frozen=True, slots=True)
class OwnScore:
    """What a reviewer gave; ``stale``: the text was handed in anew since, so that it does not count."""

    points: int
    comment: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A unit whose name could tell where an exemplar comes from."""

    code: str
    name: str
    level: Level
    function: str
    county: str


def panel_view(session: Session, plan_id: int, round_code: str, exemplars: Sequence[Exemplar]) -> PanelView:
    """``exemplars``: those of this half-year. Three statements, whatever the numbers."""
    own = session.execute(select(panel).where(panel.c.plan_id == plan_id, panel.c.round_code == round_code)).first()
    rows = session.execute(
        select(panelist, unit.c.name.label("unit_name"))
        .outerjoin(unit, unit.c.code == panelist.c.unit_code)
        .where(panelist.c.plan_id == plan_id, panelist.c.round_code == round_code)
        .order_by(panelist.c.revoked_at.is_not(None), panelist.c.id)
    ).all()
    sent = {one.id: one for one in exemplars if one.state in SENT}
    given = _given(session, [row.id for row in rows], sent)
    seats = tuple(_seat(row, sent, given) for row in rows)
    closed_at, closed_by = (own.closed_at, own.closed_by) if own else (None, None)
    active = [seat for seat in seats if seat.panelist.revoked_at is None]
    complete = bool(active) and bool(sent) and all(seat.scored == seat.due for seat in active)
    ranking, remarks = _told(active, sent, given) if complete or closed_at else (None, None)
    return PanelView(own.opened_at if own else None, closed_at, closed_by, seats, ranking, remarks)


def own_scores(session: Session, scorer: int, exemplars: Sequence[Exemplar]) -> dict[int, OwnScore]:
    """What a reviewer gave to these exemplars, by exemplar."""
    versions = {one.id: one.version for one in exemplars}
    rows = session.execute(select(score).where(score.c.panelist_id == scorer, score.c.exemplar_id.in_(versions)))
    return {r.exemplar_id: OwnScore(r.points, r.comment, r.version != versions[r.exemplar_id]) for r in rows}


def is_running(session: Session, plan_id: int, round_code: str) -> bool:
    """Whether the panel still takes scores."""
    mine = (panel.c.plan_id == plan_id, panel.c.round_code == round_code, panel.c.closed_at.is_(None))
    return session.execute(select(panel.c.plan_id).where(*mine)).first() is not None


def neighbours(session: Session, exemplars: Collection[Exemplar]) -> tuple[Neighbour, ...]:
    """The units whose names are masked in these exemplars: the units themselves, all units of their counties, and every
    county, lest the one that is never named give itself away; the city for the names made with its own."""
    counties = {one.county for one in exemplars if one.county}
    city = and_(unit.c.level == Level.CITY.value, unit.c.function == "")
    county = and_(unit.c.level == Level.COUNTY.value, unit.c.function == "")
    own = or_(unit.c.code.in_({one.unit for one in exemplars}), unit.c.county.in_(counties))
    rows = session.execute(select(unit).where(or_(city, county, own)).order_by(unit.c.code))
    return tuple(Neighbour(r.code, r.name, Level(r.level), r.function, r.county) for r in rows)


Given = dict[tuple[int, int], Any]  # (panelist, exemplar) → the score's row


def _given(session: Session, panelists: Sequence[int], sent: dict[int, Exemplar]) -> Given:
    """The scores of the texts that now stand."""
    rows = session.execute(select(score).where(score.c.panelist_id.in_(panelists), score.c.exemplar_id.in_(sent)))
    return {(r.panelist_id, r.exemplar_id): r for r in rows if r.version == sent[r.exemplar_id].version}


def _seat(row: Any, sent: dict[int, Exemplar], given: Given) -> Seat:
    person = Panelist(row.id, row.plan_id, row.round_code, row.name, row.unit_code, row.created_at, row.revoked_at)
    due = [one for one in sent.values() if one.unit != person.unit]
    return Seat(person, row.unit_name, len(due), sum((person.id, one.id) in given for one in due))


def _told(
    active: Sequence[Seat], sent: dict[int, Exemplar], given: Given
) -> tuple[tuple[Ranked, ...], dict[int, tuple[Remark, ...]]]:
    remarks: dict[int, list[Remark]] = defaultdict(list)
    for seat in active:
        for one in sent.values():
            row = given.get((seat.panelist.id, one.id))
            if row is not None and one.unit != seat.panelist.unit:
                remarks[one.id].append(Remark(seat.panelist.name, row.points, row.comment))
    points = {one: [remark.points for remark in remarks[one]] for one in sent}
    return tuple(ranked(points)), {one: tuple(found) for one, found in remarks.items()}
