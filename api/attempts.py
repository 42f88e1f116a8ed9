"""How often somebody may try a door. Counted in this process only, and in windows that move: a wall against guessing,
while what shuts an account for good measure is kept in the ledger."""

from __future__ import annotations

import math
from hashlib import sha256

from fastapi import HTTPException
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

BY_ADDRESS = parse("30/minute")  # failures; a whole office may share one address
BY_NAME = parse("10/10 minutes")  # attempts at one account, whoever makes them, whether there is one or not
TOO_MANY = "尝试过于频繁，请{wait}后再试"


class Attempts:
    """``require`` and ``spend`` before a door is tried, ``failed`` or ``forget`` afterwards."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def require(self, address: str) -> None:
        """Raises 429 where an address has failed too often of late."""
        if not self._limiter.test(BY_ADDRESS, "address", address):
            raise self._refusal(BY_ADDRESS)

    def failed(self, address: str) -> None:
        """Count a failure of an address."""
        self._limiter.hit(BY_ADDRESS, "address", address)

    def spend(self, name: str) -> None:
        """Count an attempt at a name. Raises 429 where there were too many."""
        if not self._limiter.hit(BY_NAME, "name", _key(name)):
            raise self._refusal(BY_NAME)

    def forget(self, name: str) -> None:
        """It was opened rightly: the count of the name begins anew."""
        self._limiter.clear(BY_NAME, "name", _key(name))

    @staticmethod
    def _refusal(rate: RateLimitItem) -> HTTPException:
        """Who waits as long as the whole window can surely try again; nobody is told more exactly."""
        seconds = rate.get_expiry()
        wait = f"{seconds} 秒" if seconds <= 90 else f"{math.ceil(seconds / 60)} 分钟"
        return HTTPException(429, TOO_MANY.format(wait=wait), {"Retry-After": str(seconds)})


def _key(name: str) -> str:
    """Names are kept as digests: now and then somebody types a password where the name belongs."""
    return sha256(name.encode("utf-8", "replace")).hexdigest()
