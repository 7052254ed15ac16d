"""Gives an answer that is there already: from memory, from Redis, or from an equal request that is
under way. Else has it made, and keeps it."""

from collections.abc import Awaitable, Callable
from time import time
from typing import Literal

import msgspec

from soulbox_core.errors import SettingsError
from soulbox_core.model import Hit, Outcome
from soulbox_core.remote.breaker import Breaker
from soulbox_core.remote.redis import connection
from soulbox_core.results.counts import Counts
from soulbox_core.results.entry import Entry, Seal
from soulbox_core.results.key import Keys, Parts, derived, is_key
from soulbox_core.results.memory import MemoryLevel
from soulbox_core.results.notices import Notices
from soulbox_core.results.redis import RedisLevel
from soulbox_core.results.writing import Writing
from soulbox_core.settings import Results
from soulbox_core.single_flight import SingleFlight

Work = Callable[[], Awaitable[Outcome]]

_CONNECT_SECONDS = 5.0
"""How long connecting may take to who does nothing but listen."""
_CLOSE_SECONDS = 2.0
"""How long the end may take for what has not been written yet."""


class ResultCache:
    """Keeps answers that ended well. Redis may be slow or gone: then it is as if it had nothing.

    Equal requests at one time are one run, of one caller's alone: what another one is refused for
    is nobody else's business.

    :param clock: seconds since the epoch
    :raises SettingsError: results.redis is no URL
    """

    def __init__(self, settings: Results, clock: Callable[[], float] = time) -> None:
        self.counts = Counts()
        self._clock = clock
        self._keys = Keys(settings.secret, settings.shared)
        self._seal = Seal(derived(settings.secret, "entry"), settings.seconds, settings.entry_bytes)
        self._memory = MemoryLevel(settings.memory_bytes, self.counts, clock)
        self._flights: SingleFlight[tuple[str, str, int], Outcome] = SingleFlight()
        self._drops = 0
        """How often something was dropped: what was begun before is not kept, and not joined."""
        self._redis: _Redis | None = None
        if settings.redis:
            try:
                self._redis = _Redis(settings, self.counts, self._forget, self._forget_all)
            except ValueError as error:
                raise SettingsError(f"results.redis: {error}") from None

    @property
    def listening(self) -> bool:
        """Whether it is told of what other nodes drop."""
        return self._redis is not None and self._redis.notices.listening

    def start(self) -> None:
        """Listen to other nodes from now on, if there may be any."""
        if self._redis is not None:
            self._redis.notices.start()

    async def close(self) -> None:
        """Give up what is under way, write what waits, and hang up."""
        await self._flights.close()
        if self._redis is not None:
            await self._redis.close()

    def key_of(self, parts: Parts) -> str:
        """The key of a request, see `Keys.of`."""
        return self._keys.of(parts)

    async def once(self, key: str, caller: str, work: Work) -> Outcome:
        """The answer to a request, with `hit` saying where it comes from.

        What fails is told to all who wait for it, and not kept. Cancelling cancels the work if
        nobody else waits for it.

        :param key: from `key_of`
        :param work: makes the answer
        """
        entry = await self._remembered(key)
        if entry is not None:
            self.counts.hits_memory += 1
            return self._given(key, entry, "memory")
        outcome, joined = await self._flights.fly(
            (caller, key, self._drops), lambda: self._fetched_or_made(key, work)
        )
        if not joined or outcome.hit is None:
            return outcome
        if outcome.hit.level == "redis":
            self.counts.hits_redis += 1
            return outcome
        self.counts.joined += 1
        return _with_hit(outcome, key, "joined", 0.0)

    async def drop(self, key: str) -> bool:
        """Remove an answer, here, in Redis and from the memory of other nodes.

        :return: whether it was there
        :raises StoreFailed: Redis gave no answer; it may be there still
        """
        if not is_key(key):
            return False
        was_here = bool(self._forget(key))
        if self._redis is None:
            return was_here
        await self._redis.writing.settle()
        was_there = await self._redis.level.unlink(key)
        await self._tell(key, self._redis)
        return was_here or was_there

    async def drop_caller(self, caller: str) -> int:
        """Remove all answers of a caller, and say how many; of none where answers are shared.

        :raises StoreFailed: Redis gave no answer; some may be there still
        """
        owner = self._keys.owner(caller)
        if self._keys.shared:
            return 0
        keys = self._forget(owner)
        if self._redis is not None:
            await self._redis.writing.settle()
            keys |= await self._redis.level.forget(owner)
            await self._tell(owner, self._redis)
        return len(keys)

    async def _remembered(self, key: str) -> Entry | None:
        data = self._memory.look(key)
        if data is None:
            return None
        try:
            return self._seal.opened(key, data, self._clock())
        except ValueError:
            self.counts.damaged += 1
            await self._memory.delete(key)
            return None

    async def _fetched_or_made(self, key: str, work: Work) -> Outcome:
        drops = self._drops
        entry = None if self._redis is None else await self._fetched(key, self._redis, drops)
        if entry is not None:
            self.counts.hits_redis += 1
            return self._given(key, entry, "redis")
        self.counts.misses += 1
        outcome = await work()
        if drops == self._drops:
            await self._keep(key, outcome, drops)
        return _with_hit(outcome, key, "none", 0.0)

    async def _fetched(self, key: str, redis: "_Redis", drops: int) -> Entry | None:
        data = await redis.level.get(key)
        if data is None:
            return None
        now = self._clock()
        try:
            entry = self._seal.opened(key, data, now)
        except ValueError:
            self.counts.damaged += 1
            redis.writing.remove(key)
            return None
        if entry is not None and drops == self._drops:
            await self._memory.set(key, data, ttl=self._seal.left_seconds(entry, now))
        return entry

    async def _keep(self, key: str, outcome: Outcome, drops: int) -> None:
        data = self._seal.closed(key, outcome, self._clock())
        if data is None:
            return
        self.counts.stored += 1
        await self._memory.set(key, data, ttl=self._seal.seconds)
        if self._redis is not None:
            self._redis.writing.set(key, data, self._seal.seconds, lambda: drops == self._drops)

    def _given(self, key: str, entry: Entry, level: Literal["memory", "redis"]) -> Outcome:
        age = max(self._clock() - entry.kept_at, 0.0)
        return _with_hit(entry.outcome, key, level, age)

    async def _tell(self, start: str, redis: "_Redis") -> None:
        """Have all nodes forget what Redis has forgotten: this one may have read it meanwhile."""
        self._forget(start)
        await redis.level.publish(redis.notices.notice(start))

    def _forget(self, start: str) -> set[str]:
        """Remove what is in memory under keys that begin so, and tell the keys."""
        self._drops += 1
        return self._memory.forget(start)

    def _forget_all(self) -> None:
        self._drops += 1
        self._memory.forget_all()


class _Redis:
    """All that has to do with Redis.

    :raises ValueError: the URL is none
    """

    def __init__(
        self,
        settings: Results,
        counts: Counts,
        dropped: Callable[[str], object],
        gap: Callable[[], None],
    ) -> None:
        self._client = connection(settings.redis, settings.redis_seconds)
        breaker = Breaker(settings.redis_seconds, "running instead")
        self.level = RedisLevel(self._client, breaker, settings.entry_bytes, counts)
        self.writing = Writing(self.level, counts)
        self.notices = Notices(
            lambda: connection(settings.redis, _CONNECT_SECONDS),
            derived(settings.secret, "notice"),
            dropped,
            gap,
            counts,
        )

    async def close(self) -> None:
        await self.notices.close()
        await self.writing.close(_CLOSE_SECONDS)
        await self._client.aclose(close_connection_pool=True)


def _with_hit(
    outcome: Outcome,
    key: str,
    level: Literal["none", "joined", "memory", "redis"],
    age_seconds: float,
) -> Outcome:
    hit = Hit(key=key, level=level, age_seconds=age_seconds)
    return msgspec.structs.replace(outcome, hit=hit)
