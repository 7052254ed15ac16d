"""The core's side of the warden: asks for the first processes of cells."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from soulbox_core.errors import CellLost, ContainerError
from soulbox_core.sandbox.link import Link


class Warden:
    """A connection to the container's warden.

    :param on_lost: called with a reason, once, when it hung up
    """

    def __init__(self, on_lost: Callable[[str], None]) -> None:
        self._on_lost = on_lost
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._link, self.their_end = Link.pair(self._on_frame, self._on_hung_up)

    async def init(self, seconds: float) -> int:
        """Return the pidfd of a new init, the caller's to close.

        :raises ContainerError: none came
        """
        waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        try:
            self._link.send({"op": "init"})
            self._waiting.append(waiting)
            async with asyncio.timeout(seconds):
                return await waiting
        except CellLost as error:
            raise ContainerError(str(error)) from None
        except TimeoutError:
            raise ContainerError(f"the warden made no init in {seconds:g} s") from None

    def close(self) -> None:
        self._link.close()
        self.their_end.close()
        self._refuse_waiting()

    def _on_frame(self, frame: dict[str, Any], descriptors: list[int]) -> None:
        waiting = self._waiting.popleft() if self._waiting else None
        if waiting is not None and not waiting.done() and len(descriptors) == 1:
            waiting.set_result(descriptors[0])
            return
        for descriptor in descriptors:
            _kill_unwanted(descriptor)

    def _on_hung_up(self) -> None:
        self._refuse_waiting()
        self._on_lost("the warden hung up")

    def _refuse_waiting(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(ContainerError("the warden hung up"))


def _kill_unwanted(init: int) -> None:
    """An init that nobody waits for any more."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(init, signal.SIGKILL)
    os.close(init)
