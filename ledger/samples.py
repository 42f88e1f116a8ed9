"""How a sample stands: its population, what was drawn, and what became of it, told by the entries.

A sample never changes once it is drawn. The result of a piece is the first act on its item after the draw.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, select

from ledger.acts import CHUNK
from ledger.database import Session
from ledger.tables import entry, plan, requirement, sample, sample_item, unit, work_item
from policy_models import sampling as draws
from policy_models.errors import NotFound
from policy_models.lifecycle import Act, State
from policy_models.sampling import Outcome


@dataclass(frozen=True, slots=True)
class Piece:
    """One of a sample's population. ``result``: of a drawn piece "passed", "failed" (sent back, or taken back by the
    unit), "left" (waived or cancelled) or "" while nobody has looked; ``revision`` of the item when drawn,
    ``submitted`` that with which its evidence came; ``stands``: submitted, untouched since drawn."""

    item_id: int
    key: str
    unit: str
    unit_name: str
    drawn: bool
    revision: int
    submitted: int
    stands: bool
    result: str
    by: str
    note: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A draw: who drew how many of how many, with which seed; ``share`` in per cent where one was asked for."""

    id: int
    plan: str
    requirement: str
    title: str
    period: str
    reviewer: str
    number: int
    seed: str
    share: int | None
    population: int
    size: int
    drawn_by: str
    drawn_at: datetime
    pieces: tuple[Piece, ...]

    @property
    def drawn(self) -> tuple[Piece, ...]:
        """What is to be looked at, in the order drawn."""
        order = {key: n for n, key in enumerate(self.redrawn)}
        return tuple(sorted((p for p in self.pieces if p.drawn), key=lambda p: order.get(p.key, len(order))))

    @property
    def rest(self) -> tuple[Piece, ...]:
        """What was not drawn and still stands."""
        return tuple(piece for piece in self.pieces if not piece.drawn and piece.stands)

    @property
    def redrawn(self) -> tuple[str, ...]:
        """The draw done again from the recorded seed and population."""
        return draws.draw([piece.key for piece in self.pieces], self.size, self.seed)

    @property
    def verified(self) -> bool:
        """Whether drawing again gives what was drawn, from as many as were recorded."""
        drawn = {piece.key for piece in self.pieces if piece.drawn}
        return drawn == set(self.redrawn) and len(self.pieces) == self.population

    @property
    def outcome(self) -> Outcome:
        results = [piece.result for piece in self.pieces if piece.drawn]
        return draws.outcome(pending=results.count(""), passed=results.count("passed"), failed=results.count("failed"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample in a list, with how it stands."""

    id: int
    requirement: str
    title: str
    period: str
    number: int
    population: int
    size: int
    drawn_by: str
    drawn_at: datetime
    outcome: Outcome


def of_reviewer(session: Session, plan_id: int, reviewer: str, *, limit: int = 50) -> tuple[Drawn, ...]:
    """A reviewer's samples under a plan, newest first: one statement."""
    ended = outcomes()
    rows = session.execute(
        select(sample, requirement.c.code.label("requirement"), requirement.c.title, ended.c.outcome)
        .join(requirement, requirement.c.id == sample.c.requirement_id)
        .join(ended, ended.c.sample_id == sample.c.id)
        .where(sample.c.plan_id == plan_id, sample.c.reviewer == reviewer)
        .order_by(sample.c.id.desc())
        .limit(limit)
    )
    names = [name for name in Drawn.__dataclass_fields__ if name != "outcome"]
    return tuple(Drawn(**{name: getattr(row, name) for name in names}, outcome=Outcome(row.outcome)) for row in rows)


def held_back(session: Session, item_ids: Sequence[int]) -> set[int]:
    """Which of these items lie in a sample that is not finished or has failed: they are accepted one at a time."""
    held: set[int] = set()
    for start in range(0, len(item_ids), CHUNK):
        chunk = item_ids[start : start + CHUNK]
        rows = in_samples([Outcome.OPEN, Outcome.FAILED]).where(sample_item.c.item_id.in_(chunk))
        held |= set(session.execute(rows).scalars())
    return held


def _act_after() -> Any:
    """The first act on a piece's item after it was drawn; NULL while there is none."""
    later = entry.alias("later")
    return (
        select(later.c.act)
        .where(later.c.item_id == sample_item.c.item_id, later.c.revision > sample_item.c.revision)
        .order_by(later.c.revision)
        .limit(1)
        .correlate(sample_item)
        .scalar_subquery()
    )


FAILING = (Act.SEND_BACK.value, Act.WITHDRAW.value)


def outcomes() -> Any:
    """Each sample with its outcome, as ``policy_models.sampling.outcome`` decides it, in SQL."""
    drawn = select(sample_item.c.sample_id, _act_after().label("act")).where(sample_item.c.drawn).subquery("looked")

    def count(met: Any) -> Any:
        return func.sum(case((met, 1), else_=0))

    return (
        select(
            drawn.c.sample_id,
            case(
                (count(drawn.c.act.in_(FAILING)) > 0, Outcome.FAILED.value),
                (count(drawn.c.act.is_(None)) > 0, Outcome.OPEN.value),
                (count(drawn.c.act == Act.ACCEPT.value) > 0, Outcome.PASSED.value),
                else_=Outcome.VOID.value,
            ).label("outcome"),
        )
        .group_by(drawn.c.sample_id)
        .subquery("outcomes")
    )


def in_samples(wanted: Collection[Outcome]) -> Select[Any]:
    """The ids of items that lie, untouched since, in a sample with one of these outcomes."""
    ended = outcomes()
    return (
        select(sample_item.c.item_id)
        .join(ended, ended.c.sample_id == sample_item.c.sample_id)
        .where(ended.c.outcome.in_([one.value for one in wanted]), _act_after().is_(None))
    )


def read(session: Session, sample_id: int) -> Sample:
    """A sample with its whole population and what became of it: two statements. Raises NotFound."""
    head = session.execute(
        select(sample, plan.c.code.label("plan"), requirement.c.code.label("requirement"), requirement.c.title)
        .join(plan, plan.c.id == sample.c.plan_id)
        .join(requirement, requirement.c.id == sample.c.requirement_id)
        .where(sample.c.id == sample_id)
    ).one_or_none()
    if head is None:
        raise NotFound("没有这次抽查，地址可能不完整")
    fields = {name: getattr(head, name) for name in Sample.__dataclass_fields__ if name != "pieces"}
    return Sample(**fields, pieces=tuple(map(_piece, session.execute(_pieces(sample_id)))))


def _pieces(sample_id: int) -> Select[Any]:
    first = (
        select(func.min(entry.c.revision))
        .where(entry.c.item_id == sample_item.c.item_id, entry.c.revision > sample_item.c.revision)
        .correlate(sample_item)
        .scalar_subquery()
    )
    after, handed = entry.alias("after"), entry.alias("handed")
    submitted = (
        select(func.max(handed.c.revision))
        .where(handed.c.item_id == sample_item.c.item_id, handed.c.act == Act.SUBMIT.value)
        .where(handed.c.revision <= sample_item.c.revision)
        .correlate(sample_item)
        .scalar_subquery()
    )
    return (
        select(
            sample_item,
            submitted.label("submitted"),
            work_item.c.key,
            work_item.c.unit_code,
            work_item.c.state,
            unit.c.name,
            after.c.act,
            after.c.by_name,
            after.c.note,
            after.c.at,
        )
        .join(work_item, work_item.c.id == sample_item.c.item_id)
        .join(unit, unit.c.code == work_item.c.unit_code)
        .outerjoin(after, and_(after.c.item_id == sample_item.c.item_id, after.c.revision == first))
        .where(sample_item.c.sample_id == sample_id)
        .order_by(unit.c.code)
    )


RESULTS = {Act.ACCEPT.value: "passed", Act.SEND_BACK.value: "failed", Act.WITHDRAW.value: "failed", None: ""}


def _piece(row: Any) -> Piece:
    return Piece(
        row.item_id,
        row.key,
        row.unit_code,
        row.name,
        bool(row.drawn),
        row.revision,
        row.submitted,
        row.act is None and row.state == State.SUBMITTED.value,
        RESULTS.get(row.act, "left"),
        row.by_name or "",
        row.note,
        row.at,
    )
