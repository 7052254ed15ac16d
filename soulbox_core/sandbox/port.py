"""What the layers above may ask of the sandbox."""

import socket
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from soulbox_core.model import Facts, Step, Stream

EGRESS = "127.0.0.1:3128"
"""Where a cell that was claimed with egress finds its way out."""

Sink = Callable[[Stream, bytes], None]
"""Takes a chunk of output, on the event loop, as soon as it was read. Must not block."""


class Cell(Protocol):
    """A claimed cell: good for one step."""

    def listener(self) -> socket.socket:
        """A listening socket at `EGRESS` in the cell's network, the caller's to serve and close.

        :raises SandboxError: the cell was not claimed with egress, or this was asked before
        """

    async def run(self, step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None = None) -> Facts:
        """Hand the step over and wait for its end.

        Output beyond `step.limits.output_bytes` is not passed on. When `stdin` is given it
        replaces `step.stdin` and is fed to the program as it comes. Cancelling kills the cell.

        :raises CellLost: the cell died without the program's doing
        """

    def discard(self, when_gone: Callable[[], None] | None = None) -> None:
        """Kill the cell if it lives and give its resources back. Safe to call twice.

        :param when_gone: called once no process of the cell is left, and its memory is free
        """


class Sandbox(Protocol):
    """Hands out cells."""

    async def claim(
        self, language: str, *, scratch_bytes: int, cold: bool = False, egress: bool = False
    ) -> Cell:
        """Return a cell for the language: a parked one if there is one that fits.

        :param scratch_bytes: size of its scratch space, fixed when it is made
        :param cold: do not use a cell with a runtime in it
        :param egress: one in which a socket listens for what wants to reach other hosts
        :raises ContainerError: none can be made now
        """

    def ready(self, language: str) -> bool:
        """Whether a claim would be answered without building a container first."""
