"""The outermost layer of every request: its id, its security headers, and the last resort."""

import asyncio
import logging
import re
from secrets import token_hex

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soulbox_core.api.problems import REQUEST_ID, answer, report
from soulbox_core.api.watch import ClientGone

log = logging.getLogger("soulbox.api")

WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""A request id that may be taken over from the client, into answers and logs."""

_OPENERS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class Edge:
    """Middleware around everything that may raise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientGone:
            log.debug("request %s: the client went away", exchange.request_id)
        except Exception as error:
            # The API's border: whatever it is, the client gets problem details and no more.
            await exchange.fail(error)


class Exchange:
    """One request and its answer, as they pass."""

    __slots__ = ("_headers", "_receive", "_scope", "_send", "_started", "_unread", "request_id")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.request_id = _request_id(scope)
        scope[REQUEST_ID] = self.request_id
        self._headers = [
            (b"x-request-id", self.request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        self._scope = scope
        self._receive = receive
        self._send = send
        self._started = False
        self._unread = scope["type"] == "http"

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] in _OPENERS:
            self._started = True
            message["headers"] = [*message.get("headers", ()), *self._headers]
        if self._unread:
            await self._send_unread(message)
        else:
            await self._send(message)

    async def _send_unread(self, message: Message) -> None:
        """Send while the client still sends its body, which nobody wants any more.

        Hypercorn puts the parts of a body into a bounded queue, and after the last `send` one
        thing more: were the queue full (a client may send thousands of parts of one byte) and
        nobody took the parts out, this would wait for ever and keep the connection.
        """
        sending = asyncio.ensure_future(self._send(message))
        taking = asyncio.create_task(self._take_rest())
        try:
            await asyncio.wait({sending, taking}, return_when=asyncio.FIRST_COMPLETED)
            await sending
        finally:
            taking.cancel()
            sending.cancel()

    async def _take_rest(self) -> None:
        while self._unread:
            await self.receive()

    async def fail(self, error: Exception) -> None:
        """Answer for an error that nobody expected, as far as that can still be done."""
        if self._started:
            # Ending an incomplete answer makes the server cut the connection.
            report(error, self.request_id)
            if self._scope["type"] == "websocket":
                await self.send({"type": "websocket.close", "code": 1011})
            return
        response = await answer(HTTPConnection(self._scope), error)
        await response(self._scope, self.receive, self.send)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and WELL_FORMED.fullmatch(value):
            return str(value, "ascii")
    return token_hex(8)
