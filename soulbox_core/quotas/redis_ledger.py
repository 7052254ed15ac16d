"""CPU time of callers, in Redis for several nodes to share."""

import asyncio
from contextlib import suppress
from functools import partial

from redis.asyncio import Redis

from soulbox_core.quotas.book import Book
from soulbox_core.remote.breaker import Breaker

_PREFIX = "soulbox:cpu:"
_KEPT_SECONDS = 2 * 86400
_BATCH_SECONDS = 0.2
"""How long what was added is known to this node alone."""


class RedisLedger:
    """A sum for each caller and day. When Redis is gone, this node goes on from what it knew,
    and tells Redis of it afterwards.

    What Redis was told without an answer is told again: it may count twice, and never not at all.
    """

    def __init__(self, redis: Redis, breaker: Breaker) -> None:
        self._redis = redis
        self._breaker = breaker
        self._known = Book()
        """What Redis said last."""
        self._untold: dict[tuple[str, str], float] = {}
        """What it has not said yes to, by day and caller."""
        self._telling: asyncio.Task[None] | None = None

    async def cpu_seconds(self, caller: str, day: str) -> float:
        """Seconds that a caller used on a day, as 2026-11-25 (UTC), on all nodes."""
        said = await self._breaker.ask(lambda: self._redis.get(_key(day, caller)))
        if said is not None:
            self._learn(caller, day, float(said))
        return self._known.get(caller, day) + self._untold.get((day, caller), 0.0)

    def add(self, caller: str, day: str, seconds: float) -> None:
        """Charge a caller. Redis hears of it a moment later."""
        key = (day, caller)
        self._untold[key] = self._untold.get(key, 0.0) + seconds
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_soon())

    async def close(self) -> None:
        """Tell Redis what it does not know yet, if it is there."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
        await self._tell()

    async def _tell_soon(self) -> None:
        while self._untold:
            await asyncio.sleep(_BATCH_SECONDS)
            await self._tell()
        self._telling = None

    async def _tell(self) -> None:
        for (day, caller), seconds in tuple(self._untold.items()):
            said = await self._breaker.ask(partial(self._added, day, caller, seconds))
            if said is None:
                return  # gone; what is left is told later
            left = self._untold.pop((day, caller)) - seconds
            if left > 0.0:
                self._untold[day, caller] = left
            self._learn(caller, day, said)

    async def _added(self, day: str, caller: str, seconds: float) -> float:
        async with self._redis.pipeline(transaction=True) as both:
            both.incrbyfloat(_key(day, caller), seconds)
            both.expire(_key(day, caller), _KEPT_SECONDS)
            said, _ = await both.execute()
        return float(said)

    def _learn(self, caller: str, day: str, seconds: float) -> None:
        self._known.add(caller, day, seconds - self._known.get(caller, day))


def _key(day: str, caller: str) -> str:
    return f"{_PREFIX}{day}:{caller}"
