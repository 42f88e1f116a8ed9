"""来信 as the coordinator sees them: what waits, what was refused, what was settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from ledger.database import Session
from ledger.tables import mail_attachment, mail_letter, outbox, report, round_, unit, unit_address
from policy_models.errors import NotFound
from policy_models.letters import LetterState

SHOWN = 100


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """``file_id``: where it was kept; ``reason``: why it was refused. ``size`` in bytes as it came."""

    name: str
    size: int
    file_id: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter with its attachments. ``unit_name`` is no more than a suggestion while it is set aside; ``registered``:
    whether the sender's address is; ``answer``: the state of the answer in the outbox, None where none was due."""

    id: int
    sender: str
    subject: str
    sent_at: datetime | None
    received_at: datetime
    unit_code: str | None
    unit_name: str | None
    round_code: str | None
    state: LetterState
    reason: str | None
    decided_at: datetime | None
    decided_by: str | None
    registered: bool
    answer: str | None
    attachments: tuple[AttachmentRow, ...]

    @property
    def kept(self) -> tuple[AttachmentRow, ...]:
        return tuple(one for one in self.attachments if one.file_id is not None)

    @property
    def refused(self) -> tuple[AttachmentRow, ...]:
        return tuple(one for one in self.attachments if one.reason is not None)


@dataclass(frozen=True, slots=True)
class Owing:
    """A unit that a round wants a report of."""

    code: str
    name: str


def letter_counts(session: Session, plan_id: int) -> dict[LetterState, int]:
    """How many letters stand in each state."""
    mine = or_(mail_letter.c.plan_id == plan_id, mail_letter.c.plan_id.is_(None))
    rows = session.execute(
        select(mail_letter.c.state, func.count().label("n")).where(mine).group_by(mail_letter.c.state)
    )
    counted = {LetterState(row.state): row.n for row in rows}
    return {state: counted.get(state, 0) for state in LetterState}


def letters(
    session: Session, plan_id: int, states: Collection[LetterState], *, limit: int = SHOWN
) -> tuple[LetterRow, ...]:
    """The newest letters in these states. Two statements."""
    mine = or_(mail_letter.c.plan_id == plan_id, mail_letter.c.plan_id.is_(None))
    chosen = _chosen().where(mine, mail_letter.c.state.in_([state.value for state in states]))
    newest = chosen.order_by(mail_letter.c.received_at.desc(), mail_letter.c.id.desc()).limit(limit)
    return _with_attachments(session, session.execute(newest).all())


def letter(session: Session, letter_id: int) -> LetterRow:
    """One letter. Raises NotFound."""
    found = _with_attachments(session, session.execute(_chosen().where(mail_letter.c.id == letter_id)).all())
    if not found:
        raise NotFound("没有这封来信")
    return found[0]


def owing_units(session: Session, plan_id: int) -> tuple[Owing, ...]:
    """The units that any round of a plan wants a report of, by code."""
    rows = session.execute(
        select(unit.c.code, unit.c.name)
        .join(report, report.c.unit_code == unit.c.code)
        .join(round_, round_.c.id == report.c.round_id)
        .where(round_.c.plan_id == plan_id)
        .distinct()
        .order_by(unit.c.code)
    )
    return tuple(Owing(row.code, row.name) for row in rows)


def round_codes(session: Session, plan_id: int) -> tuple[str, ...]:
    """The plan's rounds that are not closed, the newest first."""
    mine = (round_.c.plan_id == plan_id, round_.c.closed_at.is_(None))
    return tuple(session.execute(select(round_.c.code).where(*mine).order_by(round_.c.code.desc())).scalars())


def _chosen() -> Any:
    return (
        select(
            mail_letter,
            unit.c.name.label("unit_name"),
            unit_address.c.address.label("registered"),
            outbox.c.state.label("answer"),
        )
        .outerjoin(unit, unit.c.code == mail_letter.c.unit_code)
        .outerjoin(unit_address, unit_address.c.address == mail_letter.c.sender)
        .outerjoin(outbox, outbox.c.letter_id == mail_letter.c.id)
    )


def _with_attachments(session: Session, rows: Sequence[Any]) -> tuple[LetterRow, ...]:
    attached: dict[int, list[AttachmentRow]] = defaultdict(list)
    of_these = mail_attachment.c.letter_id.in_([row.id for row in rows])
    for one in session.execute(select(mail_attachment).where(of_these).order_by(mail_attachment.c.id)):
        attached[one.letter_id].append(AttachmentRow(one.name, one.size, one.file_id, one.reason))
    return tuple(
        LetterRow(
            row.id,
            row.sender,
            row.subject,
            row.sent_at,
            row.received_at,
            row.unit_code,
            row.unit_name,
            row.round_code,
            LetterState(row.state),
            row.reason,
            row.decided_at,
            row.decided_by,
            row.registered is not None,
            row.answer,
            tuple(attached[row.id]),
        )
        for row in rows
    )
