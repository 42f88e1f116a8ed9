"""The last good bytes of each feed: what is served when the database is away. Bounded, in this process only."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock

MOST_FEEDS = 512


@dataclass(frozen=True)
class Rendered:
    """A feed's bytes with their validators. ``changed_at`` (UTC, whole seconds) is its Last-Modified."""

    body: bytes
    tag: str
    changed_at: datetime

    @cached_property
    def zipped(self) -> bytes:
        """Deterministic: no time, no name inside."""
        return gzip.compress(self.body, 6, mtime=0)


class FeedCache:
    """Least recently used out first; safe between threads."""

    def __init__(self, most: int = MOST_FEEDS) -> None:
        self._most, self._feeds, self._lock = most, OrderedDict[str, Rendered](), Lock()

    def get(self, key: str) -> Rendered | None:
        with self._lock:
            if key in self._feeds:
                self._feeds.move_to_end(key)
            return self._feeds.get(key)

    def put(self, key: str, rendered: Rendered) -> Rendered:
        """Keep a feed; the one kept before if its bytes are the same, with what was compressed of it."""
        with self._lock:
            known = self._feeds.get(key)
            if known is not None and known.tag == rendered.tag and known.changed_at == rendered.changed_at:
                rendered = known
            self._feeds[key] = rendered
            self._feeds.move_to_end(key)
            while len(self._feeds) > self._most:
                self._feeds.popitem(last=False)
            return rendered

    def drop(self, key: str) -> None:
        with self._lock:
            self._feeds.pop(key, None)
