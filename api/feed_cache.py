"""Bytes that were made once: kept up to a sum of octets, the least recently used out first. In this process only."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

MEGABYTE = 1024 * 1024


class BytesKept:
    """Safe between threads. What alone is larger than the sum is not kept."""

    def __init__(self, most: int) -> None:
        self._most, self._held, self._lock = most, OrderedDict[str, bytes](), Lock()
        self.octets = 0

    def get(self, key: str) -> bytes | None:
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: str, value: bytes) -> bytes:
        with self._lock:
            self.octets += len(value) - len(self._held.pop(key, b""))
            self._held[key] = value
            while self.octets > self._most:
                self.octets -= len(self._held.popitem(last=False)[1])
        return value
