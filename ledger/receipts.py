"""回执: one answer for each letter, queued with the letter itself; its facts are read when it is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select

from ledger.civil import civil_date
from ledger.database import Session
from ledger.tables import mail_attachment, mail_letter, outbox, plan, unit
from policy_models.letters import LetterState
from policy_models.notices import ReceiptNotice

KIND = "receipt"
CHANNEL = "email"
MOST_A_DAY = 60  # answers to one address: whatever goes round and round, ends


@dataclass(frozen=True, slots=True)
class Receipt:
    """A queued answer with its facts. ``in_reply_to``: the letter's Message-ID, None where it had none."""

    message: int
    key: str
    channel: str
    kind: str
    notice: ReceiptNotice
    address: str
    in_reply_to: str | None


def queue_receipt(session: Session, letter_id: int, address: str, *, plan_id: int | None, now: datetime) -> bool:
    """Queue the answer to a letter that was just written down; False where this address got enough for today."""
    today = civil_date(now)
    told = select(func.count()).where(outbox.c.kind == KIND, outbox.c.address == address, outbox.c.as_of == today)
    if session.execute(told).scalar_one() >= MOST_A_DAY:
        return False
    session.execute(
        insert(outbox).values(
            key=f"{KIND}:{letter_id}",
            channel=CHANNEL,
            kind=KIND,
            plan_id=plan_id,
            address=address,
            letter_id=letter_id,
            as_of=today,
            queued_at=now,
            next_try_at=now,
        )
    )
    return True


def receipts(session: Session, message_ids: Sequence[int]) -> tuple[Receipt, ...]:
    """Those of these outbox rows that answer letters, with their facts."""
    desk = unit.alias("desk")
    rows = session.execute(
        select(
            outbox.c.id.label("message"),
            outbox.c.key,
            outbox.c.channel,
            outbox.c.kind,
            outbox.c.address,
            mail_letter,
            unit.c.name.label("unit_name"),
            desk.c.name.label("desk_name"),
        )
        .join(mail_letter, mail_letter.c.id == outbox.c.letter_id)
        .outerjoin(unit, unit.c.code == mail_letter.c.unit_code)
        .outerjoin(plan, plan.c.id == outbox.c.plan_id)
        .outerjoin(desk, desk.c.code == plan.c.coordinator)
        .where(outbox.c.id.in_(message_ids))
    ).all()
    if not rows:
        return ()
    attached: dict[int, list[tuple[str, str | None]]] = defaultdict(list)
    of_these = mail_attachment.c.letter_id.in_([row.id for row in rows])
    for one in session.execute(select(mail_attachment).where(of_these).order_by(mail_attachment.c.id)):
        attached[one.letter_id].append((one.name, one.reason))
    found = []
    for row in rows:
        filed = row.state in (LetterState.FILED, LetterState.CONFIRMED)
        notice = ReceiptNotice(
            subject=row.subject,
            received_at=row.received_at,
            unit_name=row.unit_name if filed else None,  # what is set aside has no more than a suggestion
            round_code=row.round_code if filed else None,
            desk_name=row.desk_name,
            filed=filed,
            taken=tuple(name for name, reason in attached[row.id] if reason is None),
            refused=tuple((name, reason) for name, reason in attached[row.id] if reason is not None),
            reason=row.reason,
        )
        known = None if row.message_id.startswith("sha256:") else row.message_id
        found.append(Receipt(row.message, row.key, row.channel, row.kind, notice, row.address, known))
    return tuple(found)
