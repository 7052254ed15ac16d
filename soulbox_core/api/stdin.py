"""The stdin of an interactive run: fed by the client, read by the cell, never much in between."""

import asyncio
from collections.abc import AsyncIterator

from soulbox_core.api.hold import Share
from soulbox_core.errors import InvalidRequest

WAITING_BYTES = 256 << 10
"""Most input that waits for the program; then the client waits."""


class Stdin:
    """Input on its way from the WebSocket to the run, in one buffer: pieces may be tiny.

    :param share: counts what waits
    :param backlog_bytes: what the server holds of a client that is made to wait
    """

    def __init__(self, first: bytes, share: Share, backlog_bytes: int) -> None:
        self._first = first
        self._share = share
        self._backlog_bytes = backlog_bytes
        self._waiting = bytearray()
        self._moved = asyncio.Event()
        self._ended = False
        self._dropping = False

    async def feed(self, piece: bytes) -> None:
        """Add input, waiting for room.

        :raises InvalidRequest: it has ended before
        :raises Overloaded: there is no room in memory for what now has to wait
        """
        if self._ended and not self._dropping:
            raise InvalidRequest("stdin was closed before", field="stdin")
        if self._is_full(len(piece)):
            await self._room(len(piece))
        if not self._dropping:
            self._share.take(len(piece))
            self._waiting += piece
            self._moved.set()

    async def _room(self, size: int) -> None:
        self._share.take(self._backlog_bytes)
        try:
            while self._is_full(size):
                self._moved.clear()
                await self._moved.wait()
        finally:
            self._share.give(self._backlog_bytes)

    def _is_full(self, size: int) -> bool:
        return bool(self._waiting) and len(self._waiting) + size > WAITING_BYTES

    def end(self) -> None:
        """Let the program see the end of its input."""
        self._ended = True
        self._moved.set()

    def drop(self) -> None:
        """Take input from now on only to throw it away: the program is over.

        Somebody must go on taking what the client sends, or neither the result nor the
        client's hanging up gets through to the other side.
        """
        self._dropping = True
        self._take()

    def _take(self) -> bytes:
        piece = bytes(self._waiting)
        self._waiting.clear()
        self._share.give(len(piece))
        self._moved.set()
        return piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        while True:
            if self._waiting:
                yield self._take()
            elif self._ended:
                return
            else:
                self._moved.clear()
                await self._moved.wait()
