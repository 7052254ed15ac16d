"""What is known of records that other nodes may change, and how long it holds."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from math import inf
from typing import Generic, Protocol, TypeVar

from soulbox_core.errors import Overloaded, StoreFailed
from soulbox_core.model import Value
from soulbox_core.single_flight import SingleFlight

MISSING_SECONDS = 1.0
"""How long a name that the database does not know is not looked up again."""
AGAIN_SECONDS = 1.0
"""After the database did not answer for a record, how long it is not asked for that one again."""
PATIENCE_SECONDS = 0.25
"""How long a database is waited for that may not answer, by who is known."""
_MISSING = 10_000
_EVER = 1 << 62


class Freshness(Value):
    """How old may be what is known of a record that other nodes may change."""

    fresh_seconds: float
    """While the database answers."""
    grace_seconds: float
    """While it does not."""


class Revocable(Protocol):
    """A record that ends when it is revoked, and then for ever."""

    @property
    def revoked_at(self) -> float | None: ...


Kept = TypeVar("Kept", bound=Revocable)


class _Known(Generic[Kept]):
    """A record, and when it was asked for."""

    def __init__(self, record: Kept, read_at: float) -> None:
        self.record = record
        self.read_at = read_at
        self.failed_at = -inf


class Memory(Generic[Kept]):
    """Records by name, each read again before it is too old.

    What was revoked stays so and is not read again. What is put here while it is read is newer
    than what is read.

    :param read: reads one from the database, None if there is none of that name
    :param freshness: None where nobody else writes there: what is known is true for ever then
    :param clock: seconds since the epoch
    :param most: how many are remembered
    :param guesses: how many names that are not known are looked up in a second at most
    """

    def __init__(
        self,
        read: Callable[[str], Awaitable[Kept | None]],
        freshness: Freshness | None,
        clock: Callable[[], float],
        *,
        most: int = _EVER,
        guesses: int = _EVER,
    ) -> None:
        self._read = read
        self._freshness = freshness
        self._clock = clock
        self._most = most
        self._known: OrderedDict[str, _Known[Kept]] = OrderedDict()
        self._missing: OrderedDict[str, float] = OrderedDict()
        self._flights: SingleFlight[str, Kept | None] = SingleFlight()
        self._reading: dict[str, asyncio.Task[Kept | None]] = {}
        """What is read again."""
        self._guesses = guesses
        self._guessed = 0
        self._second = 0

    def __len__(self) -> int:
        return len(self._known)

    def all(self) -> tuple[Kept, ...]:
        """What is known, however old, in the order in which it came to be."""
        return tuple(known.record for known in self._known.values())

    def get(self, name: str) -> Kept | None:
        """What is known of that name, however old."""
        known = self._known.get(name)
        return None if known is None else known.record

    def put(self, name: str, record: Kept) -> None:
        """Remember what is so from now on, because it was decided here."""
        self._keep(name, record, self._clock())

    def learn(self, name: str, record: Kept, read_at: float) -> Kept:
        """Remember what was read; what is known to be revoked stays so.

        :param read_at: when it was asked for
        :return: what holds
        """
        known = self._known.get(name)
        if known is not None and known.record.revoked_at is not None:
            return known.record
        self._keep(name, record, read_at)
        return record

    async def find(self, name: str) -> Kept | None:
        """The record of that name, no older than it may be. Who finds what is known does not
        wait.

        :raises StoreFailed: the database did not answer, and what is known is too old, or nothing
        :raises Overloaded: it is not known, and too many others are not
        """
        known = self._known.get(name)
        if known is not None and self._is_fresh(known):
            return known.record
        if self._freshness is None:
            return await self._look_up(name)
        if known is None:
            if self._is_missing(name):
                return None
            self._count(name)
        elif 0 <= self._clock() - known.failed_at < AGAIN_SECONDS:
            return self._in_grace(known)
        try:
            if known is None or not self._holds(known):
                return await self._read_once(name)
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(self._read_again(name))
        except TimeoutError:
            assert known is not None
            known.failed_at = self._clock()
            return self._in_grace(known)
        except StoreFailed:
            known = self._known.get(name)
            if known is None:
                raise
            return self._in_grace(known)

    async def _read_once(self, name: str) -> Kept | None:
        """Read it; given up when nobody waits for it any more."""
        record, _ = await self._flights.fly(name, lambda: self._look_up(name))
        return record

    def _read_again(self, name: str) -> "asyncio.Task[Kept | None]":
        """Read it, whoever waits for it: else a database that is slow, and not gone, would never be
        heard, and what it says of a revocation."""
        task = self._reading.get(name)
        if task is None:
            task = self._reading[name] = asyncio.create_task(self._read_once(name))

            def done(task: "asyncio.Task[Kept | None]") -> None:
                del self._reading[name]
                if not task.cancelled():
                    task.exception()  # of which nobody may be there to be told

            task.add_done_callback(done)
        return task

    async def _look_up(self, name: str) -> Kept | None:
        before = self._known.get(name)
        asked_at = self._clock()
        try:
            record = await self._read(name)
        except StoreFailed:
            if before is not None:
                before.failed_at = self._clock()
            raise
        known = self._known.get(name)
        if known is not None and known is not before:
            return known.record
        if record is None:
            self._known.pop(name, None)
            self._miss(name, asked_at)
        else:
            self._keep(name, record, asked_at)
        return record

    def _is_fresh(self, known: _Known[Kept]) -> bool:
        if self._freshness is None or known.record.revoked_at is not None:
            return True
        return self._is_younger(known, self._freshness.fresh_seconds)

    def _holds(self, known: _Known[Kept]) -> bool:
        """Whether what is known will do while the database does not answer."""
        assert self._freshness is not None
        return self._is_fresh(known) or self._is_younger(known, self._freshness.grace_seconds)

    def _in_grace(self, known: _Known[Kept]) -> Kept:
        """:raises StoreFailed: what is known is too old even for now"""
        if self._holds(known):
            return known.record
        raise StoreFailed("the database does not answer, and what is known is too old")

    def _is_younger(self, known: _Known[Kept], seconds: float) -> bool:
        # A clock that was set back makes it of the future: nobody knows how old it is.
        return 0 <= self._clock() - known.read_at < seconds

    def _keep(self, name: str, record: Kept, read_at: float) -> None:
        self._missing.pop(name, None)
        self._known[name] = _Known(record, read_at)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def _miss(self, name: str, asked_at: float) -> None:
        if self._freshness is None:
            return
        self._missing[name] = asked_at
        if len(self._missing) > _MISSING:
            self._missing.popitem(last=False)

    def _is_missing(self, name: str) -> bool:
        asked_at = self._missing.get(name)
        if asked_at is not None and 0 <= self._clock() - asked_at < MISSING_SECONDS:
            return True
        self._missing.pop(name, None)
        return False

    def _count(self, name: str) -> None:
        """Count a name that is not known: whoever guesses names must not wear out the database.

        :raises Overloaded: there were too many in this second
        """
        if self._flights.under_way(name):
            return
        second = int(self._clock())
        if second != self._second:
            self._second, self._guessed = second, 0
        if self._guessed >= self._guesses:
            raise Overloaded("too many keys that are not known here are shown; try again later")
        self._guessed += 1
