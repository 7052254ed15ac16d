"""The start of the languages' pools: a few at a time, and first those that somebody waits for."""

import asyncio
import logging
from collections.abc import Mapping
from contextvars import copy_context

from soulbox_core.errors import ContainerError
from soulbox_core.sandbox.pool import Pool

logger = logging.getLogger(__name__)

_AT_ONCE = 2
"""Pools that are started unasked at one time: each keeps a core busy for a while, and the first
shall not be as late as the last."""


class Startup:
    """Starts each pool once.

    A pool that does not start is logged and goes on trying by itself; the others work.
    """

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._pools = pools
        self._starts: dict[str, asyncio.Task[ContainerError | None]] = {}
        self._all: asyncio.Task[None] | None = None
        self._context = copy_context()
        """Of nobody's request: what is started outlives the one that happened to wait for it."""

    def begin(self) -> None:
        """Start all of them, in the background."""
        self._all = asyncio.create_task(self._start_all())

    async def done(self) -> None:
        """Wait until every pool has started, or has failed to for the first time.

        :raises ContainerError: none of them started
        """
        assert self._all is not None, "done() comes after begin()"
        await asyncio.shield(self._all)

    async def reached(self, name: str) -> None:
        """Wait until that pool can make cells, or failed to for the first time; have it started
        now if its turn has not come yet."""
        usable = self._pools[name].usable
        if not usable.is_set():
            self._start(name)
            await usable.wait()

    async def close(self) -> None:
        """Start no more. Safe to call twice."""
        tasks = [*self._starts.values(), *filter(None, (self._all,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for pool in self._pools.values():
            pool.usable.set()  # whoever waits is told by the pool that it is closed

    async def _start_all(self) -> None:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def in_turn(name: str) -> ContainerError | None:
            async with turn:
                return await self._start(name)

        errors = [error for error in await asyncio.gather(*map(in_turn, self._pools)) if error]
        if errors and len(errors) == len(self._pools):
            raise errors[0]

    def _start(self, name: str) -> asyncio.Task[ContainerError | None]:
        if name not in self._starts:
            self._starts[name] = asyncio.get_running_loop().create_task(
                self._started(name), context=self._context
            )
        return self._starts[name]

    async def _started(self, name: str) -> ContainerError | None:
        try:
            await self._pools[name].start()
        except ContainerError as error:
            logger.error("%s does not start: %s", name, error)
            return error
        return None
