"""Token buckets: in Redis if there is one, in memory if not, or when it is gone."""

from soulbox_core.model import Standing
from soulbox_core.quotas.memory import MemoryBuckets
from soulbox_core.quotas.redis import RedisBuckets
from soulbox_core.remote.breaker import Breaker
from soulbox_core.settings import Rate


class MemoryLimiter:
    """Takes tokens from buckets of this process."""

    def __init__(self) -> None:
        self._buckets = MemoryBuckets()

    async def take(self, name: str, rate: Rate, share: str) -> Standing:
        """Take one token out of a bucket, if there is one."""
        return self._buckets.take(name, rate, share)


class RedisLimiter:
    """Takes tokens from buckets in Redis. When it is gone each node has its own, which begin
    full: no caller loses a request, and some may gain a burst."""

    def __init__(self, buckets: RedisBuckets, breaker: Breaker) -> None:
        self._shared = buckets
        self._own = MemoryBuckets()
        self._breaker = breaker
        self.fallbacks = 0
        """Tokens that were taken from memory because Redis did not answer."""

    async def take(self, name: str, rate: Rate, share: str) -> Standing:
        """Take one token out of a bucket, if there is one."""
        taken = await self._breaker.ask(lambda: self._shared.take(name, rate, share))
        if taken is not None:
            return taken
        self.fallbacks += 1
        return self._own.take(name, rate, share)
