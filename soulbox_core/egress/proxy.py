"""An HTTP CONNECT proxy on a socket inside of a cell's network namespace.

The cell has no interface but its loopback. Whatever it reaches, it reaches through here, by
name: the core resolves and connects, so that neither addresses nor other ports are in reach.
"""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

logger = logging.getLogger(__name__)

HTTPS = 443
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(
    rf"(?=.{{1,253}}(?::|$))({_LABEL}(?:\.{_LABEL})*)(?::([0-9]{{1,5}}))?",
    re.ASCII | re.IGNORECASE,
)
_REQUEST = re.compile(rb"CONNECT ([!-~]{1,300}) HTTP/1\.[01]\r\n")
_HEAD_BYTES = 8192
_HEAD_SECONDS = 10.0
_CONNECT_SECONDS = 15.0
_CLOSE_SECONDS = 5.0
"""How long a peer may take to read the last of what it was sent."""
_CONNECTIONS = 32
"""At one time; package managers open up to some twenty."""
_PIECE_BYTES = 65536
_REMEMBERED = 16
"""Hosts that are remembered as refused."""

Host = tuple[str, int]


def host(text: str) -> Host:
    """Read `name` or `name:port`; without a port it is that of HTTPS.

    :raises ValueError: it is neither
    """
    match = _HOST.fullmatch(text)
    if match is None or not 0 < int(match[2] or HTTPS) < 1 << 16:
        raise ValueError(f"{text!r} is not a host name, or one with :port")
    return match[1].lower(), int(match[2] or HTTPS)


class Proxy:
    """Connects a cell with the hosts that its policy grants.

    :param hosts: names and ports that may be reached
    :param budget_bytes: how much may come in and go out, all connections together
    """

    def __init__(self, hosts: frozenset[Host], budget_bytes: int) -> None:
        self._hosts = hosts
        self._left = budget_bytes
        self._open = 0
        self.refused: set[str] = set()
        """What was asked for in vain, for a message about it."""

    @asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve a listening socket, which is closed in the end, for the time of the context."""
        tasks: set[asyncio.Task[None]] = set()

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._serve(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            # Also of one that was cancelled before it began.
            task.add_done_callback(lambda _: writer.transport.abort())

        server = await asyncio.start_server(accepted, sock=listener, limit=_HEAD_BYTES)
        try:
            yield
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with _closing(writer):
                status = await self._connect(reader, writer)
                if status is not None:
                    writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            logger.debug("egress: %s", error)
        finally:
            self._open -= 1

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        """Answer one request; a tunnel if it may be, else the status of the refusal."""
        if self._open > _CONNECTIONS:
            return b"503 Too many connections"
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return b"431 Request too large"
        match = _REQUEST.match(head)
        if match is None:
            return b"405 Only CONNECT"
        asked = match[1].decode("ascii")
        try:
            there = host(asked)
        except ValueError:
            return b"400 Not a host"
        if there not in self._hosts:
            if len(self.refused) < _REMEMBERED:
                self.refused.add(asked)
            return b"403 Not a host that packages come from"
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                far_reader, far_writer = await asyncio.open_connection(*there)
        except (OSError, TimeoutError):
            return b"502 Not reachable"
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        try:
            async with _closing(far_writer), asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer))
                both.create_task(self._pump(far_reader, writer))
        except* (OSError, _Spent) as errors:
            logger.debug("egress to %s: %s", asked, errors.exceptions[0])
        return None

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_PIECE_BYTES):
            self._left -= len(data)
            if self._left < 0:
                raise _Spent("more than its budget")
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof() and not sink.is_closing():
            sink.write_eof()


class _Spent(Exception):
    """The budget is used up."""


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection after the block: at once if it failed or was cancelled, else when the
    peer has read what it was sent. One that does not read must not hold us."""
    try:
        yield
        writer.close()
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
    finally:
        writer.transport.abort()
