"""What the layers above may ask of the sandbox."""

import socket
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from soulbox_core.model import Facts, Sample, Step, Stream, Value

EGRESS = "127.0.0.1:3128"
"""Where a cell that was claimed with egress finds its way out."""

VOLUMES = "/volumes"
"""Where a cell finds the volumes that it was claimed with, each under its name."""

Sink = Callable[[Stream, bytes], None]
"""Takes a chunk of output, on the event loop, as soon as it was read. Must not block."""

Watcher = Callable[[Sample], None]
"""Takes what the program uses at a moment, on the event loop. Must not block."""


class Kind(Value):
    """What is fixed when a cell is made."""

    scratch_bytes: int
    """Size of its scratch space."""
    cold: bool = False
    """Forked from the launcher, with no runtime booted."""
    egress: bool = False
    """A socket listens in it for what wants to reach other hosts."""
    volumes: tuple[str, ...] = ()
    """Names of the volumes that are in its tree; in the order of their names, each once."""
    hidden: tuple[str, ...] = ()
    """Absolute paths of the image that are covered; in their order, each once."""


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names or paths as a `Kind` has them."""
    return tuple(sorted({name.rstrip("/") for name in names}))


class Cell(Protocol):
    """A claimed cell: good for one step."""

    def listener(self) -> socket.socket:
        """A listening socket at `EGRESS` in the cell's network, the caller's to serve and close.

        :raises SandboxError: the cell was not claimed with egress, or this was asked before
        """

    async def run(
        self,
        step: Step,
        sink: Sink,
        stdin: AsyncIterator[bytes] | None = None,
        watcher: Watcher | None = None,
    ) -> Facts:
        """Hand the step over and wait for its end.

        Output beyond `step.limits.output_bytes` is not passed on. When `stdin` is given it
        replaces `step.stdin` and is fed to the program as it comes. Cancelling kills the cell.

        :param watcher: told again and again, from a tenth of a second after the hand-over to the
            program's end, and not after it
        :raises CellLost: the cell died without the program's doing
        """

    def discard(self, when_gone: Callable[[], None] | None = None) -> None:
        """Kill the cell if it lives and give its resources back. Safe to call twice.

        :param when_gone: called once no process of the cell is left, and its memory is free
        """


class Sandbox(Protocol):
    """Hands out cells."""

    async def claim(self, language: str, kind: Kind) -> Cell:
        """Return a cell of this kind for the language: a parked one if there is one that fits.

        :raises ContainerError: none can be made now
        """

    def ready(self, language: str) -> bool:
        """Whether a claim would be answered without building a container first."""
