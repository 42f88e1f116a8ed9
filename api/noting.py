"""What a request does is written into the trail in the transaction that does it: never one without the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from api import visit
from ledger import trail
from ledger.database import Database, Session


class NotingDatabase(Database):
    """The ledger as one request has it: its first transaction that ends well notes the act that the route is named by."""

    def __init__(self, inner: Database, now: datetime) -> None:
        self.__dict__.update(inner.__dict__)
        self._inner, self._now, self._noted = inner, now, False

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self._inner.write() as session:
            yield session
            self._note(session)

    def _note(self, session: Session) -> None:
        found = visit.current()
        if self._noted or not found.act or found.visitor is None:
            return
        trail.note_act(
            session,
            found.act,
            self._now,
            visitor=found.visitor,
            unit=found.unit,
            object=found.object,
            detail="；".join(found.details),
            address=found.address,
        )
        self._noted = True
