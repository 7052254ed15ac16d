"""An HTTP proxy on a socket inside of a cell's network namespace.

The cell has no interface but its loopback. Whatever it reaches, it reaches through here, by
name: tunnels by CONNECT, for TLS and whatever else, and plain HTTP requests. The core resolves,
looks at what came of it, and connects.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from http import HTTPStatus

import h11

from soulbox_core.egress.dial import Dialer
from soulbox_core.egress.door import Door
from soulbox_core.egress.forward import Exchange
from soulbox_core.egress.head import END, MOST_BYTES, Asked, read_head
from soulbox_core.egress.hosts import Way
from soulbox_core.egress.ledger import Account, Ledger, Spent
from soulbox_core.egress.refusal import Refusal
from soulbox_core.egress.stream import Stream
from soulbox_core.egress.tunnel import tunnel
from soulbox_core.model import Visit
from soulbox_core.settings import Egress

logger = logging.getLogger(__name__)

_HEAD_SECONDS = 10.0
"""Longest that the head of a request may take."""
_ESTABLISHED = b"HTTP/1.1 200 Connected\r\n\r\n"
_PIECE_BYTES = 4096


class Proxy:
    """Connects one cell with the hosts that it may reach, for as long as it is served.

    :param way: where it may go
    :param bounds: connections at one time, bytes, and how long they may lie idle
    """

    def __init__(self, way: Way, dialer: Dialer, bounds: Egress) -> None:
        self._way = way
        self._dialer = dialer
        self._bounds = bounds
        self._ledger = Ledger(bounds.bytes)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Whom the cell talked to or tried to."""
        return self._ledger.visits

    @asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve a listening socket, which is closed in the end, for the time of the context."""
        door = Door(listener, self._welcome)
        try:
            yield
        finally:
            door.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _welcome(self, sock: socket.socket) -> bool:
        if len(self._tasks) >= self._bounds.connections:
            _turn_away(sock)
            return False
        task = asyncio.create_task(self._serve(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Also of one that is cancelled before it began.
        task.add_done_callback(_closer(sock))
        return not self._ledger.spent

    async def _serve(self, sock: socket.socket) -> None:
        near = Stream(sock)
        try:
            try:
                await self._answer(near)
            except Refusal as refusal:
                await near.write(refusal.response)
            await near.close()
        except (OSError, EOFError, TimeoutError, Spent, h11.ProtocolError) as error:
            logger.debug("egress: %s", error)

    async def _answer(self, near: Stream) -> None:
        """Answer one request.

        :raises Refusal: this is the answer
        """
        head, rest = await self._head(near)
        server = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_BYTES)
        asked = read_head(head, server)
        with await self._connect(asked) as sock:
            account = self._account(asked, allowed=True)
            far = Stream(sock, account)
            async with asyncio.timeout(self._bounds.idle_seconds) as idle:
                near.progress = far.progress = _postponing(idle, self._bounds.idle_seconds)
                if asked.request is None:
                    await near.write(_ESTABLISHED)
                    if rest:
                        await far.write(rest)
                    await tunnel(near, far)
                else:
                    if rest:
                        server.receive_data(rest)
                    await Exchange(near, far, server).run(asked.request)

    async def _head(self, near: Stream) -> tuple[bytes, bytes]:
        """The head of a request, and what came with it.

        :raises EOFError: there is none
        """
        data = bytearray()
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                while (end := data.find(END)) < 0 and len(data) <= MOST_BYTES:
                    piece = await near.read(_PIECE_BYTES)
                    if not piece:
                        raise EOFError("no head")
                    data += piece
        except TimeoutError:
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time") from None
        end += len(END)
        if not len(END) <= end <= MOST_BYTES:
            raise Refusal(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"a request's head may have {MOST_BYTES} bytes",
            )
        return bytes(data[:end]), bytes(data[end:])

    async def _connect(self, asked: Asked) -> socket.socket:
        """:raises Refusal: it may not be, or cannot"""
        if not self._way.allows(asked.name, asked.port):
            self._connection(asked, allowed=False)
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                f"{asked.name}:{asked.port} is not {self._way.what}",
                f"Not {self._way.what}",
            )
        anywhere = self._way.trusts(asked.name, asked.port)
        try:
            sock = await self._dialer.connect(asked.name, asked.port, anywhere=anywhere)
        except Refusal as refusal:
            self._connection(asked, allowed=refusal.status is not HTTPStatus.FORBIDDEN)
            raise
        with ExitStack() as unless_kept:
            unless_kept.callback(sock.close)
            self._connection(asked, allowed=True)
            unless_kept.pop_all()
        return sock

    def _connection(self, asked: Asked, *, allowed: bool) -> None:
        """Count one.

        :raises Refusal: there can be no more
        """
        try:
            self._account(asked, allowed=allowed).connect()
        except Spent as spent:
            raise Refusal(HTTPStatus.FORBIDDEN, str(spent), "Spent") from None

    def _account(self, asked: Asked, *, allowed: bool) -> Account:
        return self._ledger.account(asked.name, asked.port, allowed=allowed)


def _postponing(idle: asyncio.Timeout, seconds: float) -> Callable[[], None]:
    loop = asyncio.get_running_loop()

    def postpone() -> None:
        if not idle.expired():
            idle.reschedule(loop.time() + seconds)

    return postpone


def _closer(sock: socket.socket) -> Callable[[object], None]:
    def close(_: object) -> None:
        sock.close()

    return close


def _turn_away(sock: socket.socket) -> None:
    """Say so, if there is room in the socket's buffer; and so there is."""
    refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections at one time")
    with sock:
        try:
            sock.send(refusal.response)
        except OSError:
            return
