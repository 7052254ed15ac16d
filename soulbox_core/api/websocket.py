"""WebSockets, as Hypercorn and wsproto speak them, held to our bounds."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypercorn.config import Config
from hypercorn.protocol import ws_stream
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import StreamClosed
from wsproto.connection import Connection
from wsproto.events import Event, Message, Ping, Pong
from wsproto.extensions import PerMessageDeflate

from soulbox_core.api.budget import Budget

REFUSED_BYTES = 4 << 20
"""Most that may still come of a message that was refused: a client may have sent it already."""
FRAMES = 1000.0
"""Frames that say nothing, such as pings and tiny parts of messages, that may come at once."""
FRAMES_PER_SECOND = 50.0
SMALL_BYTES = 64
"""A part of a message below this is hardly worth its frame."""


def assembled_bytes(message_bytes: int) -> int:
    """Most that a message holds in memory: a character takes up to four bytes there."""
    return 4 * message_bytes


def backlog_bytes(message_bytes: int) -> int:
    """Most that messages hold which nobody receives: those queued, the one to be queued next, and
    its parts."""
    return (Config.max_app_queue_size + 2) * assembled_bytes(message_bytes)


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


class CountedFrames(Connection):
    """wsproto's side of a WebSocket. Every ping is answered, and a message may come in as many
    parts as its sender likes, empty ones too: eleven thousand in one read, for six bytes each."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._budget = Budget(FRAMES, FRAMES_PER_SECOND)

    def events(self) -> Iterator[Event]:  # type: ignore[override]  # wsproto says Generator
        for event in super().events():
            if _says_nothing(event) and not self._budget.spend(1.0):
                raise ConnectionAbortedError("too many frames that say nothing")
            yield event


class WebSocket(ws_stream.WSStream):
    """One WebSocket, whose connection does not wait for the next ping when it is over."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._over = asyncio.Event()

    async def handle(self, event: StreamEvent) -> None:
        if isinstance(event, StreamClosed):
            self._over.set()
        await super().handle(event)

    async def _send_pings(self) -> None:
        while not self.closed:
            await self._send_wsproto_event(Ping())
            with suppress(TimeoutError):
                async with asyncio.timeout(self.config.websocket_ping_interval):
                    await self._over.wait()


def _says_nothing(event: Event) -> bool:
    if isinstance(event, Message):
        return not event.message_finished and len(event.data) < SMALL_BYTES
    return isinstance(event, Ping | Pong)
