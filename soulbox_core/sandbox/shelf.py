"""Parked cells, by their kinds, and those who wait for one."""

import asyncio
import sys
from collections import deque
from collections.abc import Iterator, Mapping

from soulbox_core.errors import ContainerError
from soulbox_core.sandbox.cell import ContainerCell
from soulbox_core.sandbox.port import Kind


class Shelf:
    """Parked cells, first come, first served.

    :param target: how many are to be kept
    """

    def __init__(self, kind: Kind, target: int) -> None:
        self.kind = kind
        self.target = target
        self.making = 0
        self._parked: deque[ContainerCell] = deque()
        self._waiting: deque[asyncio.Future[ContainerCell]] = deque()

    def __len__(self) -> int:
        return len(self._parked)

    @property
    def hurried(self) -> bool:
        """Whether somebody waits for the next cell."""
        return any(not waiting.done() for waiting in self._waiting)

    @property
    def wanted(self) -> int:
        """How many more are to be made, besides those on their way."""
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.done())
        return self.target + len(self._waiting) - len(self._parked) - self.making

    def take(self) -> ContainerCell | None:
        """A parked cell, if there is one."""
        return self._parked.popleft() if self._parked else None

    def line_up(self) -> asyncio.Future[ContainerCell]:
        """Wait for the next cell."""
        waiting: asyncio.Future[ContainerCell] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return waiting

    def put(self, cell: ContainerCell) -> None:
        """Give the cell to the longest waiting, or keep it."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(cell)
                return
        self._parked.append(cell)

    def remove(self, cell: ContainerCell) -> bool:
        """Forget a parked cell that died; False if it is not here."""
        if cell not in self._parked:
            return False
        self._parked.remove(cell)
        return True

    def clear(self) -> None:
        """Throw every parked cell away."""
        while self._parked:
            self._parked.popleft().discard()

    def refuse(self, error: ContainerError) -> None:
        """Tell all who wait that there will be none."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(error)


async def handed(waiting: asyncio.Future[ContainerCell]) -> ContainerCell:
    """The cell that somebody waited for; thrown away if that one is gone in the same moment.

    :raises ContainerError: there will be none
    """
    try:
        return await waiting
    except asyncio.CancelledError:
        if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
            waiting.result().discard()
        raise


class Shelves:
    """A shelf for each kind that cells are kept of.

    :param targets: how many of each
    """

    def __init__(self, targets: Mapping[Kind, int]) -> None:
        self._shelves = {kind: Shelf(kind, target) for kind, target in targets.items()}

    def __iter__(self) -> Iterator[Shelf]:
        return iter(self._shelves.values())

    def of(self, kind: Kind) -> Shelf | None:
        """The shelf of that kind; None if such cells are made to order."""
        return self._shelves.get(kind)

    @property
    def parked(self) -> int:
        """Cells that wait."""
        return sum(map(len, self))

    @property
    def making(self) -> int:
        """Cells on their way."""
        return sum(shelf.making for shelf in self)

    @property
    def any_wanted(self) -> bool:
        """Whether cells of any kind are kept at all."""
        return any(shelf.target for shelf in self)

    def to_fill(self, *, warm: bool, most: int = sys.maxsize) -> Iterator[Shelf]:
        """A shelf for each cell that is to be made now. Who waits comes before who may come; else
        one kind's burst would starve the others.

        :param warm: whether cells that are not cold would be what they are parked for
        :param most: how many
        """
        for shelf in sorted(self, key=lambda shelf: not shelf.hurried):
            if warm or shelf.kind.cold:
                wanted = min(shelf.wanted, most)
                most -= max(wanted, 0)
                yield from (shelf for _ in range(wanted))

    def remove(self, cell: ContainerCell) -> bool:
        """Forget a parked cell that died; False if it is on none of them."""
        return any(shelf.remove(cell) for shelf in self)

    def clear(self) -> None:
        """Throw every parked cell away."""
        for shelf in self:
            shelf.clear()

    def refuse(self, error: ContainerError) -> None:
        """Tell all who wait that there will be none."""
        for shelf in self:
            shelf.refuse(error)
