"""HTTP/1.1, as Hypercorn and h11 speak it, held to our bounds."""

from typing import Any

import h11
from hypercorn.asyncio.worker_context import EventWrapper
from hypercorn.events import Closed, Event
from hypercorn.protocol.h11 import H2ProtocolAssumedError, H11Protocol

_PREFACE = b"PRI * HTTP/2.0\r\n\r\n"


class HungUp(Exception):
    """The client is gone while something that it had sent waited for its turn."""


class Http1(H11Protocol):
    """One HTTP/1.1 connection."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.can_read = self._turn = _Turn()

    async def handle(self, event: Event) -> None:
        """:raises HungUp: what was read waits for a request under way, and the client is gone"""
        if isinstance(event, Closed):
            # Hypercorn would not tell of the end of that request any more, and who has read what
            # was sent behind it would wait for ever, and keep the connection counted as open.
            await self._turn.give_up()
        await super().handle(event)

    def head_under_way(self) -> bool:
        """Whether a request's head has begun and is not complete."""
        connection = self.connection
        return connection.their_state is h11.IDLE and bool(connection.trailing_data[0])

    async def goodbye(self) -> None:
        """Nothing is said before closing."""

    async def _check_protocol(self, event: h11.Request) -> None:
        """Go over to HTTP/2 for who began with its preface, and for nobody else.

        Hypercorn does for `Upgrade: h2c` too, which RFC 9113 section 3.1 has done away with: a
        proxy that passes that header on no longer sees the requests of that connection.
        """
        if event.method == b"PRI" and event.target == b"*" and event.http_version == b"2.0":
            raise H2ProtocolAssumedError(_PREFACE + self.connection.trailing_data[0])


class _Turn(EventWrapper):
    """When what was read may be looked at."""

    def __init__(self) -> None:
        super().__init__()
        self._over = False

    async def give_up(self) -> None:
        self._over = True
        await self.set()

    async def wait(self) -> None:
        """:raises HungUp: that will not be"""
        await super().wait()
        if self._over:
            raise HungUp
