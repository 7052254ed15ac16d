"""Entries on their way to Redis, for which no answer waits."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import NamedTuple

from soulbox_core.results.counts import Counts
from soulbox_core.results.redis import RedisLevel

MOST_BYTES = 16 << 20
"""Most bytes of entries that wait."""
MOST = 1000
"""Most entries that wait."""
_SETTLE_SECONDS = 1.0


class _Waiting(NamedTuple):
    key: str
    value: bytes | None
    """None has what is there removed."""
    seconds: float
    still_good: Callable[[], bool]


class Writing:
    """Writes one entry after the other. What is too much is dropped, and so is what Redis does
    not take in time; both is counted."""

    def __init__(self, level: RedisLevel, counts: Counts) -> None:
        self._level = level
        self._counts = counts
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._context = copy_context()
        """Of nobody's request: it writes the answers of many."""

    def set(self, key: str, value: bytes, seconds: float, still_good: Callable[[], bool]) -> None:
        """Have an entry written soon.

        :param seconds: how long it is good
        :param still_good: asked again when its turn comes
        """
        if self._bytes + len(value) > MOST_BYTES:
            self._counts.dropped += 1
            return
        self._put(_Waiting(key, value, seconds, still_good))

    def remove(self, key: str) -> None:
        """Have an entry removed soon."""
        self._put(_Waiting(key, None, 0.0, lambda: True))

    async def settle(self) -> None:
        """Return when nothing is on its way that was asked for before, or after a while."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=_SETTLE_SECONDS)

    async def close(self, seconds: float) -> None:
        """Write what waits, as far as that goes in so many seconds."""
        task = self._task
        if task is not None:
            await asyncio.wait((task,), timeout=seconds)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._counts.dropped += sum(each.value is not None for each in self._waiting)
        self._waiting.clear()
        self._bytes = 0

    def _put(self, waiting: _Waiting) -> None:
        if len(self._waiting) >= MOST:
            self._counts.dropped += waiting.value is not None
            return
        self._waiting.append(waiting)
        self._bytes += len(waiting.value or b"")
        if self._task is None:
            self._task = asyncio.create_task(self._work(), context=self._context)

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._write(self._waiting.popleft())
        finally:
            self._task = None

    async def _write(self, waiting: _Waiting) -> None:
        self._bytes -= len(waiting.value or b"")
        if waiting.value is None:
            await self._level.delete(waiting.key)
        elif waiting.still_good():
            written = False
            try:
                written = await self._level.set(waiting.key, waiting.value, ttl=waiting.seconds)
            finally:
                self._counts.dropped += not written
