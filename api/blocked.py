"""What the privacy gate stopped is noted in a transaction of its own: that of the act was rolled back with it."""

from __future__ import annotations

from datetime import datetime

from ledger import screenings
from ledger.database import Database
from policy_models.errors import PrivacyBlocked


def record_blocked(database: Database, error: PrivacyBlocked, *, by_unit: str, now: datetime) -> None:
    """Masked samples only; the coordinator sees them and may let this content in. Raises LedgerUnavailable."""
    with database.write() as session:
        screenings.record(
            session, error.place, "blocked", error.findings, sha256=error.sha256, by_unit=by_unit, now=now
        )
