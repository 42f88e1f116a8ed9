"""退信入账: a letter of ours that came back is noted where it was sent from, and its address is not used until somebody
sets it right."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from ledger.database import Session
from ledger.outbox import record_bounce
from ledger.people import note_bounce
from ledger.tables import outbox
from policy_models.channels import EMAIL_CODE
from policy_models.message_names import Returned, is_name_of, row_named


def record(session: Session, returned: Returned, *, now: datetime) -> bool:
    """Note that a letter came back; False when its name is not that of a letter that was sent from here, so that
    nobody can stop another's letters by writing a bounce. Twice is once."""
    row_id = row_named(returned.name)
    mine = (outbox.c.id == row_id, outbox.c.channel == EMAIL_CODE, outbox.c.attempts > 0)
    row = session.execute(select(outbox.c.id, outbox.c.kind, outbox.c.key, outbox.c.address).where(*mine)).first()
    if row is None or not row.address or not is_name_of(returned.name, row.kind, row.id, row.key, row.address):
        return False
    record_bounce(session, row.id, returned.reason, now=now)
    note_bounce(session, row.address, returned.reason, now)
    return True
