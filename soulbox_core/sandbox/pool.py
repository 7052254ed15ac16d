"""The parked cells of one language, and the container they come from."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import copy_context
from typing import Any

import msgspec

from soulbox_core.errors import ContainerError
from soulbox_core.sandbox.cell import ContainerCell
from soulbox_core.sandbox.container import Container
from soulbox_core.sandbox.pool_figures import PoolCounts, PoolFigures
from soulbox_core.sandbox.port import Kind
from soulbox_core.sandbox.shelf import Shelf, Shelves, handed

logger = logging.getLogger(__name__)

_MAKING_AT_ONCE = 4
"""A forge makes one cell at a time; a few in flight keep it busy."""
_FILL_SECONDS = 0.005
"""How long the replacement of a claimed cell may wait while others are parked."""
_CALM_SECONDS = 0.03
"""The same where a runtime has to be booted: about what starting one takes."""
_CHECK_SECONDS = 10.0
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits between attempts to start a container; the last one repeats."""
_RETIRE_SECONDS = 600.0
"""Longest that a replaced container may live on for the cells still running in it."""

OnLost = Callable[[Container, str], None]


class Pool:
    """Keeps cells parked; gives one to each who asks, first come, first served.

    :param new_container: returns a container that is started and ready
    :param targets: how many cells of which kinds are kept; any other is made to order
    :param boots: those that are not cold have a runtime started in them
    :param container_cells: cells after which a container is replaced
    """

    def __init__(
        self,
        language: str,
        new_container: Callable[[OnLost], Awaitable[Container]],
        *,
        targets: Mapping[Kind, int],
        boots: bool = False,
        container_cells: int,
    ) -> None:
        self._language = language
        self._new_container = new_container
        self._shelves = Shelves(targets)
        self._boots = boots
        self._container_cells = container_cells
        self._container: Container | None = None
        self._failures = 0
        self._fault: ContainerError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._filling: asyncio.TimerHandle | None = None
        self._replacing = False
        self._closed = False
        self.usable = asyncio.Event()
        """Set when cells can be made, or could not be at the first attempt to start."""
        self._counts = PoolCounts()
        self._context = copy_context()
        """Of nobody's request: what is made here outlives the one that happened to ask for it."""

    def figures(self) -> PoolFigures:
        """How it is."""
        return self._counts.figures(parked=self._shelves.parked, making=self._shelves.making)

    @property
    def ready(self) -> bool:
        """Whether a warm container is up and, if any are wanted, a cell is parked or being made."""
        warm = self._container is not None and self._container.warm
        return warm and (not self._shelves.any_wanted or self._fault is None)

    async def start(self) -> None:
        """Start the container and park the cells; if that fails, go on trying.

        :raises ContainerError: the first attempt failed; says why
        """
        self._spawn(self._check())
        try:
            container = self._container = await self._created_container()
        except ContainerError as error:
            self._fault = error
            self._failures += 1
            self._spawn(self._restart())
            raise
        finally:
            self.usable.set()
        try:
            await container.warm_up()
        except ContainerError as error:
            self._failed(container, error)
            raise
        to_fill = self._shelves.to_fill(warm=True)
        await asyncio.gather(*(self._make_one(container, shelf) for shelf in to_fill))
        if self._fault is not None:
            raise self._fault

    async def close(self) -> None:
        """Kill every cell and remove the container. Safe to call twice."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._shelves.clear()
        self._shelves.refuse(ContainerError("the service is shutting down"))
        if self._container is not None:
            self._counts.end(self._container, "closed")
            await self._container.destroy()
            self._container = None

    async def claim(self, kind: Kind) -> ContainerCell:
        """See `soulbox_core.sandbox.port.Sandbox.claim`."""
        if self._closed:
            raise ContainerError("the service is shutting down")
        shelf = self._shelves.of(kind)
        if shelf is None:
            return await self._make_to_order(kind)
        cell = shelf.take()
        if cell is not None:
            self._counts.parked_claims += 1
            if shelf or self._boots:
                self._fill_later()
            else:
                self._fill()
            return cell
        warming = self._container is not None and not self._container.warm
        if not kind.cold and self._fault is None and (self._boots or warming):
            if not warming:
                self._fill_later()
            return await self._make_to_order(kind)
        if self._container is None and self._failures > 1 and self._fault is not None:
            raise self._fault
        self._counts.other_claims += 1
        waiting = shelf.line_up()
        self._fill()
        return await handed(waiting)

    async def _make_to_order(self, kind: Kind) -> ContainerCell:
        self._counts.other_claims += 1
        if self._container is None:
            raise self._fault or ContainerError(f"{self._language}: no container yet")
        if self._boots or not self._container.warm:
            # Booting a runtime ahead costs more than starting it for this run alone, and so does
            # waiting for what others will find loaded.
            kind = msgspec.structs.replace(kind, cold=True)
        return await self._container.make_cell(kind, rehearse=False)

    def _fill_later(self) -> None:
        """Let the run that has just got its cell go first: making one would take its cores.

        Runtimes are booted when no run has come for a moment: while they come one upon the other
        each boot would take the time of several runs.
        """
        loop = asyncio.get_running_loop()
        if self._filling is not None and self._boots:
            self._filling.cancel()
            self._filling = None
        if self._filling is None:
            seconds = _CALM_SECONDS if self._boots else _FILL_SECONDS
            self._filling = loop.call_later(seconds, self._fill, context=self._context)

    def _fill(self) -> None:
        """Make as many cells as are wanted and not yet on their way."""
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None
        if self._container is None or self._closed:
            return
        room = _MAKING_AT_ONCE - self._shelves.making
        for shelf in self._shelves.to_fill(warm=self._container.warm, most=room):
            self._spawn(self._make_one(self._container, shelf))
        if self._container.made >= self._container_cells and not self._replacing:
            self._replacing = True
            self._spawn(self._replace(self._container))

    def _make_one(self, container: Container, shelf: Shelf) -> Coroutine[Any, Any, None]:
        """Make a cell for a shelf, which counts it from now on."""
        shelf.making += 1
        return self._make(container, shelf)

    async def _make(self, container: Container, shelf: Shelf) -> None:
        try:
            cell = await container.make_cell(shelf.kind, rehearse=not shelf.hurried)
        except ContainerError as error:
            self._no_longer_making(container, shelf)
            self._failed(container, error)
            return
        self._no_longer_making(container, shelf)
        self._fault = None
        self._failures = 0
        cell.on_unused_death = self._parked_died
        shelf.put(cell)
        self._fill()

    def _no_longer_making(self, container: Container, shelf: Shelf) -> None:
        """Count down, unless a successor has taken over and the count is of its cells."""
        if container is self._container:
            shelf.making -= 1

    def _failed(self, container: Container, error: ContainerError) -> None:
        """A cell could not be made: what cannot make cells is replaced, not repaired."""
        if self._closed or container is not self._container:
            return
        logger.error("%s: %s", self._language, error)
        self._lost(container, str(error))

    def _parked_died(self, cell: ContainerCell) -> None:
        if self._shelves.remove(cell):
            self._fill()

    def _lost(self, container: Container, why: str) -> None:
        """The container broke: whoever runs in it is told by their own cell's end."""
        if self._closed:
            return
        logger.warning("%s: container %s lost: %s", self._language, container.name, why)
        if self._container is container:
            self._container = None
            self._fault = ContainerError(f"{container.name}: {why}")
            self._failures += 1  # until a cell was made
            if self._failures > 1:  # a new container did not help; nobody shall wait for a third
                self._shelves.refuse(self._fault)
            self._shelves.clear()
            self._spawn(self._restart())
        self._counts.end(container, "lost")
        self._spawn(container.destroy())

    async def _restart(self) -> None:
        while True:
            if self._failures > 1:
                await asyncio.sleep(_RETRY_SECONDS[min(self._failures, len(_RETRY_SECONDS)) - 1])
            try:
                self._use(await self._warm_container())
            except ContainerError as error:
                logger.error("%s: %s", self._language, error)
                self._fault = error
                self._failures += 1
                self._shelves.refuse(error)
            else:
                return

    async def _created_container(self) -> Container:
        container = await self._new_container(self._lost)
        self._counts.created += 1
        return container

    async def _warm_container(self) -> Container:
        container = await self._created_container()
        try:
            await container.warm_up()
        except (ContainerError, asyncio.CancelledError):
            await container.destroy()
            raise
        return container

    def _use(self, container: Container) -> None:
        """From now on make cells in this container."""
        self._container = container
        for shelf in self._shelves:
            shelf.making = 0
        self._shelves.clear()
        self._fill()

    async def _replace(self, old: Container) -> None:
        """Start the successor first, then let the old one finish what runs in it."""
        try:
            new = await self._warm_container()
        except ContainerError as error:
            logger.error("%s: cannot replace %s: %s", self._language, old.name, error)
            await asyncio.sleep(_RETRY_SECONDS[-1])
            return
        finally:
            self._replacing = False
        self._use(new)
        try:
            async with asyncio.timeout(_RETIRE_SECONDS):
                await old.idle()
        except TimeoutError:
            logger.warning("%s: %s still busy, ending it", self._language, old.name)
        self._counts.end(old, "replaced")
        await old.destroy()

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            if self._container is not None:
                await self._container.healthy()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, context=self._context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
