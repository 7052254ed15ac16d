"""The first level: entries in this process's memory."""

from collections import OrderedDict
from collections.abc import Callable

from aiocache.base import BaseCache
from aiocache.serializers import NullSerializer

from soulbox_core.results.counts import Counts

OVERHEAD_BYTES = 320
"""What an entry takes besides its key's characters and its bytes: their objects' heads, the pair,
its time, and its place in the ordered dictionary."""


class MemoryLevel(BaseCache):  # type: ignore[misc]  # aiocache has no types
    """Bounded by bytes; the least recently used goes first.

    :param most_bytes: 0 keeps nothing
    :param clock: seconds
    """

    NAME = "soulbox-memory"

    def __init__(self, most_bytes: int, counts: Counts, clock: Callable[[], float]) -> None:
        super().__init__(serializer=NullSerializer(), timeout=None)
        self._most_bytes = most_bytes
        self._counts = counts
        self._clock = clock
        self._kept: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def forget(self, start: str) -> set[str]:
        """Remove every entry whose key begins so, and tell their keys."""
        keys = {key for key in self._kept if key.startswith(start)}
        for key in keys:
            self._remove(key)
        return keys

    def forget_all(self) -> None:
        """Remove every entry."""
        self._kept.clear()
        self._counts.bytes = self._counts.entries = 0

    def look(self, key: str) -> bytes | None:
        """What `get` gives, for who asks at each request: aiocache's wrappers take 4 us, most of
        them to read the environment."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        value, over_at = kept
        if over_at <= self._clock():
            self._remove(key)
            return None
        self._kept.move_to_end(key)
        return value

    async def _get(self, key: str, encoding: str | None = None, _conn: object = None) -> object:
        return self.look(key)

    async def _set(
        self,
        key: str,
        value: bytes,
        ttl: float,
        _cas_token: object = None,
        _conn: object = None,
    ) -> bool:
        self._remove(key)
        size = _size(key, value)
        if size > self._most_bytes:
            return False
        while self._counts.bytes + size > self._most_bytes:
            self._remove(next(iter(self._kept)))
            self._counts.evicted += 1
        self._kept[key] = value, self._clock() + ttl
        self._counts.bytes += size
        self._counts.entries += 1
        return True

    async def _delete(self, key: str, _conn: object = None) -> int:
        return int(self._remove(key))

    async def _exists(self, key: str, _conn: object = None) -> bool:
        return self.look(key) is not None

    async def _clear(self, namespace: str | None = None, _conn: object = None) -> bool:
        self.forget_all()
        return True

    def _remove(self, key: str) -> bool:
        kept = self._kept.pop(key, None)
        if kept is None:
            return False
        self._counts.bytes -= _size(key, kept[0])
        self._counts.entries -= 1
        return True


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + OVERHEAD_BYTES
