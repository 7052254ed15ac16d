"""A socket to a launcher, a template or a cell, on the event loop."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import msgspec

from soulbox_core.errors import CellLost
from soulbox_core.sandbox.launcher import wire

OnFrame = Callable[[dict[str, Any], list[int]], None]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Link:
    """Frames in, by callback; frames out, at once or not at all.

    :param on_frame: gets each frame and its descriptors, which it must close
    :param on_closed: called once, when the other end is gone
    """

    def __init__(
        self, sock: socket.socket, on_frame: OnFrame, on_closed: Callable[[], None]
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._read)
        self.open = True

    @classmethod
    def pair(cls, on_frame: OnFrame, on_closed: Callable[[], None]) -> tuple["Link", socket.socket]:
        """A link, and the socket for the other side, which the caller closes once sent."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours, on_frame, on_closed), theirs

    def send(self, frame: Any, descriptors: tuple[int, ...] = ()) -> None:
        """:raises CellLost: the other end is gone, or does not read"""
        if not self.open:
            raise CellLost("the launcher hung up")
        try:
            wire.send_encoded(self._socket, _encode(frame), descriptors)
        except wire.Closed:
            raise CellLost("the launcher hung up") from None
        except BlockingIOError:
            raise CellLost("the launcher does not read its socket") from None

    def close(self) -> None:
        """Hang up. Safe to call twice; `on_closed` is not called for it."""
        if self.open:
            self.open = False
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _read(self) -> None:
        try:
            frame, descriptors = wire.receive(self._socket, _decode)
        except BlockingIOError:
            return
        except (wire.Closed, OSError, ValueError):
            self.close()
            self._on_closed()
            return
        self._on_frame(frame, descriptors)
