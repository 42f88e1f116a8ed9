"""How often a machine's token may ask. Counted in this process, in windows that move: a wall against a loop gone wild."""

from __future__ import annotations

from fastapi import HTTPException
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

TOO_OFTEN = "这个令牌每分钟最多请求 {most} 次，请 {seconds} 秒后再试"


class TokenPace:
    """``spend`` before a token's request is answered."""

    def __init__(self, per_minute: int) -> None:
        self._rate = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def spend(self, token_id: int) -> None:
        """Count a request. Raises 429 with Retry-After where there were too many in the last minute."""
        who = ("token", str(token_id))
        if self._limiter.hit(self._rate, *who):
            return
        seconds = self._rate.get_expiry()  # who waits as long as the whole window can surely go on
        told = TOO_OFTEN.format(most=self._rate.amount, seconds=seconds)
        raise HTTPException(429, told, {"Retry-After": str(seconds)})
