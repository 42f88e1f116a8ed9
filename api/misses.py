"""How often an address asks for feeds that do not exist. Only wrong tokens are counted: a valid one never waits."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(minutes=1)
MOST_IN_WINDOW = 60
MOST_ADDRESSES = 4096


class Misses:
    """Counts in this process only, bounded; a window begins with its first miss."""

    def __init__(self) -> None:
        self._found, self._lock = OrderedDict[str, tuple[datetime, int]](), Lock()

    def too_many(self, address: str, now: datetime) -> bool:
        """Count one miss; whether the address has had its share."""
        with self._lock:
            began, count = self._found.pop(address, (now, 0))
            if not timedelta(0) <= now - began < WINDOW:
                began, count = now, 0
            self._found[address] = (began, count + 1)
            while len(self._found) > MOST_ADDRESSES:
                self._found.popitem(last=False)
            return count + 1 > MOST_IN_WINDOW
