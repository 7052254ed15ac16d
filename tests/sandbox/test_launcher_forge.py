"""What the launcher's forge does when the core asks for what cannot be any more."""

import os
import socket
from collections.abc import Iterator
from multiprocessing import get_context
from typing import Any

import pytest

from soulbox_core.sandbox.launcher import forge, jail, program, wire

CELL: dict[str, Any] = {"op": "cell", "id": "c1", "boot": None}


@pytest.fixture
def control() -> Iterator[socket.socket]:
    """To a forge in a process of its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def serve() -> None:
        ours.close()
        tree = jail.Jail.__new__(jail.Jail)  # whose making takes a container
        forge.Forge(theirs, program.Executor(), b"", tree).serve()

    process = get_context("fork").Process(target=serve)
    process.start()
    theirs.close()
    with ours:
        ours.settimeout(10)
        yield ours
    process.join(10)
    assert process.exitcode == 0


def ask(control: socket.socket, init: int) -> socket.socket:
    """Ask for a cell; return the core's end of its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        wire.send(control, CELL, (theirs.fileno(), init))
    ours.settimeout(10)
    return ours


def test_a_cell_whose_init_is_gone_is_no_other_cells_business(control: socket.socket) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    init = os.pidfd_open(pid)
    os.waitpid(pid, 0)
    with ask(control, init) as cell, pytest.raises(wire.Closed):
        wire.receive(cell)
    os.close(init)
    wire.send(control, {"op": "ping"})
    assert wire.receive(control) == ({"op": "pong"}, [])
