"""The outermost layer of every request: its id, what is refused unseen, and the last resort."""

import asyncio
import logging
from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soulbox_core import request_id, trace_context
from soulbox_core.api.addresses import TrustedProxies
from soulbox_core.api.cors import Origins, answer_preflight
from soulbox_core.api.hosts import check_host, hosts_of
from soulbox_core.api.patience import Patience, Stalled
from soulbox_core.api.problems import REFUSAL, REQUEST_ID, answer, report
from soulbox_core.api.watch import ClientGone
from soulbox_core.errors import InvalidRequest
from soulbox_core.report import Traffic
from soulbox_core.settings import Server

log = logging.getLogger("soulbox.api")

HEADERS = "soulbox.headers"
"""Key of the list of headers, in a request's ASGI scope, that its answer will have as well."""
HEADER_COUNT = 128
"""Most headers of a request."""
ROUTE = "soulbox.route"
"""Key, in a request's ASGI scope, of the name of the path that it is about."""
CLOSING_SECONDS = 0.1
"""What a stalled client's WebSocket has for its last words; it does not read them anyway."""

_UNKNOWN = "unknown"
_NO_ANSWER = "none"
"""The status of a request whose client did not wait for one."""
_SWITCHED = 101
"""That of a WebSocket that was accepted."""
_OPENERS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class Edge:
    """Middleware around everything that may raise.

    :raises SettingsError: an origin or a trusted proxy is not written as one
    """

    def __init__(self, app: ASGIApp, server: Server, traffic: Traffic | None = None) -> None:
        self._app = app
        self._traffic = traffic
        self._hosts = hosts_of(server)
        self._answer_seconds = server.answer_seconds
        self._head_bytes = server.header_bytes
        self._origins = Origins(server.cors_origins)
        self._proxies = TrustedProxies(server.trusted_proxies)
        self._taking: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if self._proxies and scope.get("client") is not None:
            address = self._proxies.client(scope["client"][0], scope["headers"])
            scope["client"] = (address, scope["client"][1])
        exchange = Exchange(scope, receive, send, self._answer_seconds)
        request_id.begin(exchange.request_id)
        trace_context.begin(*exchange.trace_context)
        try:
            await self._answer(exchange, scope)
        except Stalled:
            log.debug("request %s: the client did not take its answer", exchange.request_id)
            await exchange.break_off()
        except ClientGone:
            log.debug("request %s: the client went away", exchange.request_id)
        finally:
            exchange.patience.close()
            if self._traffic is not None:
                exchange.tell(self._traffic)
        if exchange.unread:
            self._take_rest(exchange)

    async def _answer(self, exchange: "Exchange", scope: Scope) -> None:
        try:
            exchange.share(self._origins)
            exchange.check(self._hosts, self._head_bytes)
            if exchange.is_preflight(self._origins):
                await answer_preflight(exchange.send)
                return
            await self._app(scope, exchange.receive, exchange.send)
        except ClientGone:
            raise
        except Exception as error:
            # The API's border: whatever it is, the client gets problem details and no more.
            await exchange.fail(error)

    def _take_rest(self, exchange: "Exchange") -> None:
        """Take what the client still sends until the server says that it is gone.

        Hypercorn tells that through the same bounded queue: were it full and nobody took
        anything out, Hypercorn would wait for ever and keep the connection.
        """
        task = asyncio.create_task(exchange.take_rest())
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)


class Exchange:
    """One request and its answer, as they pass."""

    __slots__ = (
        "_began_at",
        "_headers",
        "_is_http",
        "_named",
        "_receive",
        "_scope",
        "_send",
        "_started",
        "_status",
        "patience",
        "request_id",
        "unread",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, answer_seconds: float) -> None:
        self._named = dict(scope["headers"])
        self.request_id = request_id.chosen(self._named.get(b"x-request-id"))
        scope[REQUEST_ID] = self.request_id
        self._headers = [
            (b"x-request-id", self.request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        scope[HEADERS] = self._headers
        self._scope = scope
        self._receive = receive
        self._send = send
        self._started = False
        self._began_at = perf_counter()
        self._status = _NO_ANSWER
        self._is_http = scope["type"] == "http"
        self.patience = Patience(answer_seconds)
        self.unread = True
        """Whether more may come from the client."""

    @property
    def trace_context(self) -> tuple[bytes | None, bytes | None]:
        """The headers by which a client says what trace the request is part of."""
        return trace_context.headers_of(self._scope["headers"])

    def tell(self, traffic: Traffic) -> None:
        """Let it be counted."""
        traffic.answered(
            self._scope["type"],
            self._scope.get(ROUTE, _UNKNOWN),
            self._status,
            perf_counter() - self._began_at,
            self._scope.get(REFUSAL),
        )

    def share(self, origins: Origins) -> None:
        """Have the answer say which pages may read it."""
        if origins:
            self._headers += origins.headers(self._named)

    def is_preflight(self, origins: Origins) -> bool:
        """Whether a browser only asks what a page may send."""
        return self._is_http and origins.asks_first(self._scope["method"], self._named)

    def check(self, hosts: frozenset[bytes] | None, head_bytes: int) -> None:
        """Refuse what no route needs to see.

        :raises HTTPException: 431, its head is too large: the server sees to that only while it
            waits for the rest of one
        :raises HTTPException: 421, it is meant for somebody else
        :raises InvalidRequest: two headers say where its body ends
        """
        headers = self._scope["headers"]
        if len(headers) > HEADER_COUNT or _head_bytes(self._scope) > head_bytes:
            raise HTTPException(431, f"a head may have {head_bytes} bytes, {HEADER_COUNT} headers")
        if b"transfer-encoding" in self._named and b"content-length" in self._named:
            # RFC 9112 section 6.1: a proxy on the way may have believed the other one.
            self._headers.append((b"connection", b"close"))
            raise InvalidRequest("send content-length or transfer-encoding, not both")
        if hosts is not None:
            check_host(self._named.get(b"host", b""), hosts)

    async def receive(self) -> Message:
        message = await self._receive()
        kind = message["type"]
        if kind == "http.request":
            self.unread = message.get("more_body", False)
        elif kind in ("http.disconnect", "websocket.disconnect"):
            self.unread = False
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on.

        :raises Stalled: the client has kept its answer waiting for too long
        """
        if message["type"] in _OPENERS:
            self._started = True
            self._status = str(message.get("status", _SWITCHED))
            message["headers"] = [*message.get("headers", ()), *self._headers]
        with self.patience:
            if self.unread and self._is_http:
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
        taking = asyncio.create_task(self.take_rest())
        try:
            await asyncio.wait({sending, taking}, return_when=asyncio.FIRST_COMPLETED)
            await sending
        finally:
            taking.cancel()
            sending.cancel()

    async def take_rest(self) -> None:
        """Throw away what the client still sends."""
        while self.unread:
            await self.receive()

    async def fail(self, error: Exception) -> None:
        """Answer for an error that nobody expected, as far as that can still be done."""
        if self._started:
            # Ending an incomplete answer makes the server cut the connection.
            self._scope[REFUSAL] = report(error, self.request_id)
            if not self._is_http:
                await self.send({"type": "websocket.close", "code": 1011})
            return
        response = await answer(HTTPConnection(self._scope), error)
        await response(self._scope, self.receive, self.send)

    async def break_off(self) -> None:
        """Give up a client that takes nothing.

        An answer that is left incomplete makes the server cut the connection. A WebSocket has
        to be closed for that, or the server would wait to say so itself.
        """
        if self._is_http or not self._started:
            return
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._send({"type": "websocket.close", "code": 1008})
        except TimeoutError:
            pass


def _head_bytes(scope: Scope) -> int:
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    for name, value in scope["headers"]:
        size += len(name) + len(value) + 4
    return size
