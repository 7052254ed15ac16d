"""The second level: entries in Redis, which several nodes share."""

from collections.abc import Awaitable, Callable
from functools import partial
from math import ceil
from typing import TypeVar

from aiocache.base import BaseCache
from aiocache.serializers import NullSerializer
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from soulbox_core.errors import StoreFailed
from soulbox_core.remote.breaker import Breaker
from soulbox_core.results.counts import Counts
from soulbox_core.results.key import NOBODY, OWNER_CHARACTERS

CHANNEL = "soulbox:results"
"""Where nodes tell each other what was dropped."""
_PREFIX = "soulbox:result:"
_SCANNED = 1000
"""Names that Redis looks at for one answer."""
_NO_ENTRY = b"\0"
"""Stands for what is there and is no string."""

T = TypeVar("T")


class RedisLevel(BaseCache):  # type: ignore[misc]  # aiocache has no types
    """Asks Redis, and takes no answer for none: what is not there is made again.

    aiocache's own Redis backend makes its own client, which waits and tries again, and clears with
    KEYS, for which Redis stands still.

    :param redis: a client that is not used for anything that waits
    :param entry_bytes: the largest entry; more is not even read
    """

    NAME = "soulbox-redis"

    def __init__(self, redis: Redis, breaker: Breaker, entry_bytes: int, counts: Counts) -> None:
        super().__init__(serializer=NullSerializer(), timeout=None)
        self._redis = redis
        self._breaker = breaker
        self._entry_bytes = entry_bytes
        self._counts = counts

    async def forget(self, owner: str) -> set[str]:
        """Remove all entries of an owner, and tell their keys.

        :raises StoreFailed: Redis gave no answer; some may be there still
        """
        pattern = _name(owner) + "*"
        keys: set[str] = set()
        cursor = 0
        while True:
            cursor, names = await self._must(
                partial(self._redis.scan, cursor, match=pattern, count=_SCANNED)
            )
            if names:
                await self._must(partial(self._redis.unlink, *names))
            keys.update(map(_key, names))
            if not cursor:
                return keys

    async def unlink(self, key: str) -> bool:
        """Remove an entry.

        :return: whether it was there
        :raises StoreFailed: Redis gave no answer
        """
        return bool(await self._must(lambda: self._redis.unlink(_name(key))))

    async def publish(self, notice: bytes) -> None:
        """Tell all nodes.

        :raises StoreFailed: Redis gave no answer
        """
        await self._must(lambda: self._redis.publish(CHANNEL, notice))

    async def _get(self, key: str, encoding: str | None = None, _conn: object = None) -> object:
        async def read() -> bytes:
            try:
                # One byte more than an entry may have: what is longer is no entry.
                data = await self._redis.getrange(_name(key), 0, self._entry_bytes)
            except ResponseError as error:
                if str(error).startswith("WRONGTYPE"):
                    return _NO_ENTRY
                raise
            assert isinstance(data, bytes)  # the client decodes nothing
            return data

        return await self._ask(read) or None

    async def _set(
        self,
        key: str,
        value: bytes,
        ttl: float,
        _cas_token: object = None,
        _conn: object = None,
    ) -> bool:
        milliseconds = ceil(ttl * 1000)
        return bool(await self._ask(lambda: self._redis.set(_name(key), value, px=milliseconds)))

    async def _delete(self, key: str, _conn: object = None) -> int:
        return await self._ask(lambda: self._redis.unlink(_name(key))) or 0

    async def _must(self, call: Callable[[], Awaitable[T]]) -> T:
        answer = await self._ask(call)
        if answer is None:
            raise StoreFailed("redis gave no answer, so what is kept there may still be given out")
        return answer

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T | None:
        answer = await self._breaker.ask(call)
        self._counts.redis_failures = self._breaker.failures
        return answer


def _name(key: str) -> str:
    """What an entry is called in Redis; of an owner, what all its entries' names begin with."""
    owner = key[:OWNER_CHARACTERS]
    whose = "shared" if owner == NOBODY else owner
    return f"{_PREFIX}{whose}:{key if len(key) > OWNER_CHARACTERS else ''}"


def _key(name: bytes | str) -> str:
    text = name if isinstance(name, str) else name.decode("utf-8", "replace")
    return text.rpartition(":")[2]
