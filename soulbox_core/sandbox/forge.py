"""The core's side of a forge: asks the launcher, or a template, for cells."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from soulbox_core.errors import CellLost, ContainerError
from soulbox_core.model import Value
from soulbox_core.sandbox.cell import ContainerCell
from soulbox_core.sandbox.link import Link
from soulbox_core.sandbox.port import Kind

_RLIMITS = {
    "RLIMIT_CORE": 0,
    # The kernel counts these for the service's user as a whole, too; without limits of their
    # own, one cell could take all there is (setrlimit(2); ucounts in kernel/ucount.c).
    "RLIMIT_SIGPENDING": 1024,
    "RLIMIT_MSGQUEUE": 65536,
    "RLIMIT_MEMLOCK": 65536,
}


class Booted(Value):
    """How the runtime of a parked cell is started."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


class Forge:
    """A connection to a process in the container that forks cells' programs.

    :param on_lost: called with a reason, once, when the process hung up
    """

    def __init__(self, on_lost: Callable[[str], None]) -> None:
        self._on_lost = on_lost
        self._cells: dict[str, ContainerCell] = {}
        self._reply: asyncio.Future[dict[str, Any]] | None = None
        self._link: Link | None = None

    def connect(self, sock: socket.socket) -> None:
        """Use a connected socket, such as the launcher's."""
        self._link = Link(sock, self._on_frame, self._on_closed)

    def connect_pair(self) -> socket.socket:
        """Make a socket pair, keep one end, return the other for the process to be."""
        self._link, theirs = Link.pair(self._on_frame, self._on_closed)
        return theirs

    def make(
        self,
        cell: ContainerCell,
        kind: Kind,
        open_files: int,
        *,
        rehearse: bool,
        boot: Booted | None = None,
    ) -> None:
        """Ask for a cell's program; `cell.parked()` tells when it is there.

        :param boot: the runtime to start in it ahead of its step; the cell has its pipes then
        :raises CellLost: the process hung up
        """
        spec = {
            "op": "cell",
            "id": cell.id,
            "uid": cell.uid,
            "scratch_bytes": kind.scratch_bytes,
            "egress": kind.egress,
            "volumes": kind.volumes,
            "hidden": kind.hidden,
            "rehearse": rehearse,
            "rlimits": {"RLIMIT_NOFILE": open_files, **_RLIMITS},
            "boot": None if boot is None else {"argv": boot.argv, "env": boot.env},
        }
        stdio = () if cell.stdio is None else cell.stdio.descriptors
        descriptors = (cell.their_end.fileno(), cell.init, *stdio, *cell.leaf.join_descriptors)
        self._cells[cell.id] = cell
        try:
            self.send(spec, descriptors)
        finally:
            cell.their_end.close()
            if cell.stdio is not None:
                cell.stdio.hand_over()

    def forget(self, cell: ContainerCell) -> None:
        """The cell is gone."""
        self._cells.pop(cell.id, None)

    async def ask(
        self, frame: dict[str, Any] | None, descriptors: tuple[int, ...], seconds: float
    ) -> dict[str, Any]:
        """Send a frame (None: just wait) and return the reply.

        :raises ContainerError: no reply in time, or a reply that says it failed
        """
        self._reply = asyncio.get_running_loop().create_future()
        try:
            if frame is not None:
                self.send(frame, descriptors)
            async with asyncio.timeout(seconds):
                reply = await self._reply
        except TimeoutError:
            raise ContainerError(f"no answer from the launcher in {seconds:g} s") from None
        except CellLost as error:
            raise ContainerError(str(error)) from None
        finally:
            self._reply = None
        if reply.get("op") == "failed":
            raise ContainerError(f"the template failed: {reply.get('error')}")
        return reply

    def undead(self, seconds: float) -> bool:
        """Whether some cell was killed so long ago and still is not gone."""
        limit = monotonic() - seconds
        return any(cell.discarded_at < limit for cell in self._cells.values())

    def close(self) -> None:
        """Hang up: the process ends, and a launcher takes its container along."""
        if self._link is not None:
            self._link.close()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(CellLost("the container was closed"))

    def send(self, frame: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        """:raises CellLost: the process hung up"""
        if self._link is None:
            raise CellLost("the launcher is not connected")
        self._link.send(frame, descriptors)

    def _on_frame(self, frame: dict[str, Any], descriptors: list[int]) -> None:
        match frame.get("op"):
            case "exited":
                cell = self._cells.get(frame["id"])
                if cell is not None:
                    cell.exited(frame["exit_code"], frame["signal"])
            case "ready" | "failed" | "pong" if self._reply is not None and not self._reply.done():
                self._reply.set_result(frame)
        for descriptor in descriptors:
            os.close(descriptor)

    def _on_closed(self) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(CellLost("the launcher hung up"))
        self._on_lost("the launcher or a template hung up")
