"""The parked cells of one kind, and those who wait for one."""

import asyncio
from collections import deque

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
