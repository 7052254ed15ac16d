"""What a program writes: capped, and kept or passed on."""

from soulbox_core.model import Stream
from soulbox_core.sandbox.port import Sink

STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")


class Capped:
    """A sink that passes on at most so many bytes and remembers which streams lost some.

    The cell holds back output beyond its limit by itself. This is the second wall: whatever
    a broken cell sends, the core keeps no more than the caller was promised.
    """

    def __init__(self, output_bytes: int, sink: Sink) -> None:
        self._left = output_bytes
        self._sink = sink
        self._lost: set[Stream] = set()
        self.touched = False
        """Whether the program has written anything."""

    def __call__(self, stream: Stream, data: bytes) -> None:
        self.touched = True
        if len(data) > self._left:
            self._lost.add(stream)
            data = data[: self._left]
        if data:
            self._left -= len(data)
            self._sink(stream, data)

    def truncated(self, by_cell: tuple[Stream, ...]) -> tuple[Stream, ...]:
        """The streams that lost data, here or in the cell, in a fixed order."""
        if not self._lost and not by_cell:
            return ()
        return tuple(stream for stream in STREAMS if stream in self._lost or stream in by_cell)


class Transcript:
    """A sink that keeps both streams together, in the order in which they came."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __call__(self, stream: Stream, data: bytes) -> None:
        self._buffer += data

    def add(self, text: str) -> None:
        """Say something of our own, if it is anything, on a line of its own."""
        if text and self._buffer and not self._buffer.endswith(b"\n"):
            self._buffer += b"\n"
        self._buffer += text.encode()

    @property
    def content(self) -> bytes:
        return bytes(self._buffer)


class Collector:
    """A sink that keeps what each stream carried.

    In one buffer a stream, so that a program which writes single bytes costs no more memory
    than one which writes blocks.
    """

    def __init__(self) -> None:
        self._buffers: dict[Stream, bytearray] = {stream: bytearray() for stream in STREAMS}

    def __call__(self, stream: Stream, data: bytes) -> None:
        self._buffers[stream] += data

    @property
    def stdout(self) -> bytes:
        return bytes(self._buffers["stdout"])

    @property
    def stderr(self) -> bytes:
        return bytes(self._buffers["stderr"])
