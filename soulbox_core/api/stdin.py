"""The stdin of an interactive run: fed by the client, read by the cell, never much in between."""

import asyncio
from collections.abc import AsyncIterator

from soulbox_core.errors import InvalidRequest

PIECES = 8
"""Most pieces that wait for the program; then the client waits."""


class Stdin:
    """A bounded queue of input, from the WebSocket to the run."""

    def __init__(self, first: bytes) -> None:
        self._first = first
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self._ended = False
        self._dropping = False

    async def feed(self, piece: bytes) -> None:
        """Add input, waiting for room.

        :raises InvalidRequest: it has ended before
        """
        if self._dropping:
            return
        if self._ended:
            raise InvalidRequest("stdin was closed before", field="stdin")
        if piece:
            await self._pieces.put(piece)

    async def end(self) -> None:
        """Let the program see the end of its input."""
        if not self._ended:
            self._ended = True
            await self._pieces.put(None)

    def drop(self) -> None:
        """Take input from now on only to throw it away: the program is over.

        Somebody must go on taking what the client sends, or neither the result nor the
        client's hanging up gets through to the other side.
        """
        self._dropping = True
        while not self._pieces.empty():
            self._pieces.get_nowait()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        while (piece := await self._pieces.get()) is not None:
            yield piece
