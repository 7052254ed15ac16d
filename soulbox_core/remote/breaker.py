"""Leaves a Redis alone that does not answer, so that not each request waits for it in vain."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")

COOL_SECONDS = 2.0
"""After it failed, how long Redis is left alone."""


class Breaker:
    """Asks Redis, or does not. One line in the log says that it is gone, one that it is back.

    :param seconds: longest that an answer is waited for
    :param without: what is done without it, for that line
    :param clock: seconds
    """

    def __init__(
        self, seconds: float, without: str, clock: Callable[[], float] = monotonic
    ) -> None:
        self._seconds = seconds
        self._without = without
        self._clock = clock
        self._again_at = 0.0
        self._down = False
        self.failures = 0
        """Times that it was asked and gave no answer."""

    @property
    def closed(self) -> bool:
        """Whether it answered when it was last asked."""
        return not self._down

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """What the call returns, None if Redis gave no answer or was not asked."""
        if self._clock() < self._again_at:
            return None
        if self._down:  # one caller tries; the others need not wait with it
            self._again_at = self._clock() + COOL_SECONDS
        try:
            async with asyncio.timeout(self._seconds):
                answer = await call()
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            self._gone(error)
            return None
        if self._down:
            self._back()
        return answer

    def _gone(self, error: Exception) -> None:
        self.failures += 1
        self._again_at = self._clock() + COOL_SECONDS
        if not self._down:
            self._down = True
            kind = type(error).__name__
            logger.warning("redis does not answer, %s: %s", self._without, kind)

    def _back(self) -> None:
        self._down = False
        self._again_at = 0.0
        logger.warning("redis answers again; until now: %s", self._without)
