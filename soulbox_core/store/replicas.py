"""Reads that may be old, spread over the replicas."""

import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, TypeVar

from soulbox_core.errors import StoreFailed
from soulbox_core.store.database import Damaged, Database
from soulbox_core.store.server import Server
from soulbox_core.store.tally import Tally

logger = logging.getLogger(__name__)

T = TypeVar("T")

_LEFT_ALONE_SECONDS = 2.0


class Replicas:
    """Servers with the same data as the primary, which may lag behind.

    :param clock: seconds from any time on
    """

    def __init__(
        self,
        primary: Database,
        replicas: Sequence[Server],
        tally: Tally,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._primary = primary
        self._replicas = [_Replica(server) for server in replicas]
        self._tally = tally
        self._clock = clock
        self._turn = 0

    async def read(self, check: Callable[[Any], T], query: str, **values: Any) -> T:
        """What a query finds, from a replica in its turn, or else from the primary.

        :param check: makes what is wanted of the answer, or raises `Damaged`
        :raises StoreFailed: nobody answered, or what the primary has is damaged
        """
        for replica in self._in_turn():
            try:
                found = check(await replica.server.ask(query, **values))
            except StoreFailed as error:
                self._tally.replica_failures += 1
                self._tally.damaged += isinstance(error, Damaged)
                replica.not_before = self._clock() + _LEFT_ALONE_SECONDS
                if not replica.failing:
                    replica.failing = True
                    logger.warning("database: a replica is not read for now: %s", error)
            else:
                self._tally.replica_reads += 1
                if replica.failing:
                    replica.failing = False
                    logger.warning("database: replica %s is read again", replica.server.name)
                return found
        return await self.read_primary(check, query, **values)

    async def read_primary(self, check: Callable[[Any], T], query: str, **values: Any) -> T:
        """The same from the primary alone."""
        try:
            found = check(await self._primary.ask(query, **values))
        except Damaged:
            self._tally.damaged += 1
            raise
        self._tally.primary_reads += 1
        return found

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._replicas)

    def _in_turn(self) -> "list[_Replica]":
        """Those that may be asked, each time another one first."""
        self._turn += 1
        start = self._turn % len(self._replicas) if self._replicas else 0
        order = self._replicas[start:] + self._replicas[:start]
        now = self._clock()
        return [replica for replica in order if replica.not_before <= now]


class _Replica:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.not_before = 0.0
        self.failing = False
