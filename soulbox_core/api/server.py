"""Hypercorn 0.18, held to our bounds where it has no setting for them.

Each class here takes the place of one of Hypercorn's, and says what a client could do without it.
"""

import logging
from typing import Any

from hypercorn import protocol
from hypercorn.asyncio import run, tcp_server
from hypercorn.config import Config
from hypercorn.events import Updated
from hypercorn.protocol import h2, ws_stream
from wsproto.events import Message
from wsproto.extensions import PerMessageDeflate

MESSAGE_BYTES = 256 << 10
"""Largest WebSocket message from a client, in bytes, or characters if it is text."""
ASSEMBLED_BYTES = 4 * MESSAGE_BYTES
"""Most that a message holds in memory: a character takes up to four bytes there."""
BACKLOG_BYTES = (Config.max_app_queue_size + 2) * ASSEMBLED_BYTES
"""Most that messages hold which nobody receives: those queued, the one to be queued next, and
its parts."""
REFUSED_BYTES = 4 << 20
"""Most that may still come of a message that was refused: a client may have sent it already."""
FLUSH_SECONDS = 10.0
"""Longest that a client may take for what is left to send when its connection is closed."""

log = logging.getLogger("soulbox.server")


class Assembly(ws_stream.WebsocketBuffer):
    """A message as it comes in.

    Hypercorn's goes on growing with each fragment after it has refused the message, and its
    connection stays open for as long as the client ignores that.
    """

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length)
        self._refused = 0

    def extend(self, event: Message[Any]) -> None:
        size = len(event.data)
        if not self._refused and self.length + size <= self.max_length:
            super().extend(event)
            return
        self.clear()
        self._refused += size
        if self._refused > REFUSED_BYTES:
            raise ConnectionAbortedError("the client goes on with a message that was refused")
        raise ws_stream.FrameTooLargeError


class NoDeflate(PerMessageDeflate):
    """Declines compression: 64 KiB from the wire become up to 64 MiB before they are counted."""

    def accept(self, offer: str) -> bool | str | None:
        return None


class IdleH2(h2.H2Protocol):
    """Ends an HTTP/2 connection that opens no stream, as one that has none left is."""

    async def initiate(
        self, headers: list[tuple[bytes, bytes]] | None = None, settings: bytes | None = None
    ) -> None:
        await super().initiate(headers, settings)
        if headers is None:
            await self.send(Updated(idle=True))


class Connection(tcp_server.TCPServer):
    """One client's connection, which ends, and quietly."""

    async def run(self) -> None:
        """Serve it; what breaks in Hypercorn is the client's doing, and worth one line."""
        try:
            await super().run()
        except Exception as error:
            # A border: asyncio would log a traceback of a page for each.
            log.warning("connection broken off: %s", _causes(error))

    async def _read_data(self) -> None:
        try:
            await super()._read_data()
        except Exception:
            # Somebody may be waiting to send, and would go on to.
            self.writer.transport.abort()
            raise

    async def _close(self) -> None:
        """Close it; asyncio waits for as long as the client takes nothing of what is left."""
        timer = self.loop.call_later(FLUSH_SECONDS, self.writer.transport.abort)
        try:
            await super()._close()
        finally:
            timer.cancel()


_OURS: tuple[tuple[Any, str, type], ...] = (
    (ws_stream, "WebsocketBuffer", Assembly),
    (ws_stream, "PerMessageDeflate", NoDeflate),
    (protocol, "H2Protocol", IdleH2),
    (run, "TCPServer", Connection),
)


def bound(config: Config) -> None:
    """Have Hypercorn, in all of this process, keep our bounds."""
    for module, name, ours in _OURS:
        if not hasattr(module, name):
            raise AttributeError(f"{module.__name__} has no {name}: not the Hypercorn known here")
        setattr(module, name, ours)
    config.websocket_max_message_size = MESSAGE_BYTES


def _causes(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(map(_causes, error.exceptions))
    return f"{type(error).__name__}: {str(error)[:200]!r}"
