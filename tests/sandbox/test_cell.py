"""A cell while it is made, with a launcher of the test's."""

import asyncio
import os
import signal
import socket
from typing import Any, cast

from soulbox_core.sandbox.cell import ContainerCell, State
from soulbox_core.sandbox.cgroup import Leaf
from soulbox_core.sandbox.launcher import wire
from soulbox_core.sandbox.monitor import Monitor
from tests.loop import on_loop, until


class Unlimited:
    """A leaf that holds nothing back."""

    def unthrottle(self) -> None: ...


class Deaf:
    """A forge that is told nothing."""

    def send(self, frame: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None: ...


def sleeper() -> int:
    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    return os.pidfd_open(pid)


@on_loop
async def test_a_cell_is_parked_though_who_waited_for_it_has_just_left() -> None:
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    gone: list[ContainerCell] = []
    leaf, monitor = cast(Leaf, Unlimited()), cast(Monitor, None)
    cell = ContainerCell("c1", 10_000, sleeper(), leaf, Deaf(), monitor, gone.append)
    waiting = asyncio.create_task(cell.parked())
    await asyncio.sleep(0)
    waiting.cancel()
    with socket.socket(fileno=os.dup(cell.their_end.fileno())) as launcher:
        pipe = os.pipe()
        wire.send(launcher, {"op": "parked"}, pipe)
        for descriptor in pipe:
            os.close(descriptor)
        await until(lambda: cell.state is State.PARKED)
    assert waiting.cancelled()
    cell.discard()
    await until(lambda: gone == [cell])
    assert troubles == []
