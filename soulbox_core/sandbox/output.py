"""Reading what a program writes, capped."""

import asyncio
import os
from collections.abc import Callable

from soulbox_core.model import Stream
from soulbox_core.sandbox.port import Sink

_READ_BYTES = 65536  # the default capacity of a pipe, pipe(7)


class Budget:
    """Bytes that stdout and stderr may still write together.

    :param on_exceeded: called once, when they write more
    """

    def __init__(self, output_bytes: int, on_exceeded: Callable[[], None]) -> None:
        self.left = output_bytes
        self.truncated: list[Stream] = []
        self._on_exceeded = on_exceeded

    def take(self, stream: Stream, data: bytes) -> bytes:
        """Return what of `data` still fits."""
        fitting = data[: self.left]
        self.left -= len(fitting)
        if len(fitting) < len(data) and stream not in self.truncated:
            first = not self.truncated
            self.truncated.append(stream)
            if first:
                self._on_exceeded()
        return fitting


class OutputPipe:
    """The read end of one of a program's streams, on the event loop."""

    _budget: Budget  # both from `start`, before which nothing is read
    _sink: Sink

    def __init__(self, stream: Stream) -> None:
        self._stream: Stream = stream
        self._loop = asyncio.get_running_loop()
        self._descriptor, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._descriptor, False)
        # /dev/stdout leads to the pipe's inode, which is ours and not the cell's user's.
        os.fchmod(self._descriptor, 0o622)
        self._open = True

    def start(self, budget: Budget, sink: Sink) -> None:
        """Give up the write end, which the program has by now, and read."""
        self._budget, self._sink = budget, sink
        self.close_write_end()
        self._loop.add_reader(self._descriptor, self._read)

    def close_write_end(self) -> None:
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def drain(self) -> None:
        """Pass on what the program had written when it ended, and close.

        A left-over child that still writes cannot hold us: the budget ends it.
        """
        while self._open and not self._budget.truncated:
            if not self._read():
                break
        self.close()

    def said(self) -> str:
        """What a program that was not let run yet has written, for a message about it."""
        try:
            return os.read(self._descriptor, _READ_BYTES).decode(errors="replace").strip()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        """Stop reading. Safe to call twice."""
        self.close_write_end()
        if self._open:
            self._open = False
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)

    def _read(self) -> bool:
        """Pass one chunk on; False if there was none."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self.close()
            return False
        fitting = self._budget.take(self._stream, data)
        if fitting:
            self._sink(self._stream, fitting)
        return True
