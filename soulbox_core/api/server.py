"""Hypercorn 0.18, held to our bounds where it has no setting for them.

Hypercorn speaks the protocols; we accept, count and close the connections. The classes that take
the place of its own are in `http1`, `http2`, `websocket` and `connection`, and say what a client
could do without them.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from hypercorn import protocol
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.protocol import h2, h11, ws_stream
from hypercorn.typing import AppWrapper
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

from soulbox_core.api.addresses import TrustedProxies
from soulbox_core.api.connection import FLUSH_SECONDS, Connection
from soulbox_core.api.connections import Connections
from soulbox_core.api.cors import Origins
from soulbox_core.api.http1 import Http1
from soulbox_core.api.http2 import Http2
from soulbox_core.api.tls import Certificate
from soulbox_core.api.websocket import Assembly, CountedFrames, NoDeflate, WebSocket
from soulbox_core.settings import Server

CLOSE_SECONDS = 5.0
"""Longest that connections may take to end when the service does."""
PING_SECONDS = 20.0
"""How often a WebSocket's client is asked whether it is there."""
BACKLOG = 1024
"""Connections that the kernel has accepted and we have not."""
PAUSE_SECONDS = 0.1
"""Rest when accepting fails: there are no descriptors, most likely."""

_FOR_EVER = 1 << 62
_OURS: tuple[tuple[Any, str, type], ...] = (
    (ws_stream, "WebsocketBuffer", Assembly),
    (ws_stream, "PerMessageDeflate", NoDeflate),
    (ws_stream, "Connection", CountedFrames),
    (h11, "WSStream", WebSocket),
    (h2, "WSStream", WebSocket),
    (protocol, "H11Protocol", Http1),
    (protocol, "H2Protocol", Http2),
)

log = logging.getLogger("soulbox.server")


class HttpServer:
    """Serves an application on a socket.

    :param app: the ASGI application; it is told of no lifespan
    :param door: bound, not yet listening; closed at the end
    :raises SettingsError: a network or a certificate is not what it should be
    """

    def __init__(self, app: ASGIApp, door: socket.socket, server: Server) -> None:
        self._config = configuration(server)
        self._app: AppWrapper = wrap_app(app, self._config.wsgi_max_body_size, "asgi")  # type: ignore[arg-type]  # Hypercorn wants its own app type
        self._door = door
        self._head_seconds = server.header_seconds
        self._certificate = Certificate.of(server)
        self._live: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = Connections(
            server.connections,
            server.connections_per_address,
            TrustedProxies(server.trusted_proxies),
        )

    async def run(self, until_stopped: Callable[[], Awaitable[object]]) -> None:
        """Serve until that returns; then let requests under way end for a moment."""
        context = WorkerContext(None)
        self._door.setblocking(False)
        self._door.listen(BACKLOG)
        accepting = asyncio.create_task(self._accept(context))
        try:
            await until_stopped()
        finally:
            accepting.cancel()
            await asyncio.wait((accepting,))
            self._door.close()
            await self._wind_up(context)

    async def _accept(self, context: WorkerContext) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(self._door)
            except OSError as error:
                log.warning("cannot accept a connection: %s", error.strerror)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            place = self.connections.enter(_host(client, address))
            if place is None:
                client.close()
                continue
            task = loop.create_task(self._serve(client, context))
            self._tasks.add(task)
            task.add_done_callback(partial(self._served, client, place))

    async def _serve(self, client: socket.socket, context: WorkerContext) -> None:
        streams = await self._opened(client)
        if streams is None:
            return
        connection = Connection(
            self._app, self._config, context, *streams, head_seconds=self._head_seconds
        )
        self._live.add(connection)
        try:
            await connection.run()
        finally:
            self._live.discard(connection)

    def _served(self, client: socket.socket, place: str, task: asyncio.Task[None]) -> None:
        """Also for a task that was cancelled before it began."""
        self._tasks.discard(task)
        self.connections.leave(place)
        if task.cancelled():
            client.close()
        elif (error := task.exception()) is not None:
            log.error("serving a connection failed", exc_info=error)

    async def _opened(
        self, client: socket.socket
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """None if the client did not get through the TLS handshake, in time or at all."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        speaker = asyncio.StreamReaderProtocol(reader, loop=loop)
        tls = self._certificate
        more: dict[str, Any] = {}
        if tls is not None:
            more = {
                "ssl": tls.context(),
                "ssl_handshake_timeout": self._head_seconds,
                "ssl_shutdown_timeout": FLUSH_SECONDS,
            }
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: speaker, client, **more)
        except OSError as error:
            log.debug("a connection did not open: %s", type(error).__name__)
            client.close()
            return None
        return reader, asyncio.StreamWriter(transport, speaker, reader, loop)

    async def _wind_up(self, context: WorkerContext) -> None:
        await context.terminated.set()
        for connection in tuple(self._live):
            connection.deadlines.hurry()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._config.graceful_timeout)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)


def check_edges(server: Server) -> None:
    """Read what else would be found wrong only when everything is started.

    :raises SettingsError: a certificate, an origin or a trusted proxy is not what it should be
    """
    Certificate.of(server)
    Origins(server.cors_origins)
    TrustedProxies(server.trusted_proxies)


def configuration(server: Server) -> Config:
    """Hypercorn's configuration; from then on it keeps our bounds in all of this process."""
    for module, name, ours in _OURS:
        if not hasattr(module, name):
            raise AttributeError(f"{module.__name__} has no {name}: not the Hypercorn known here")
        setattr(module, name, ours)
    config = Config()
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.graceful_timeout = CLOSE_SECONDS
    config.keep_alive_timeout = server.idle_seconds
    # Hypercorn counts requests to end a connection gracefully, which on HTTP/2 cuts the
    # streams that are under way.
    config.keep_alive_max_requests = _FOR_EVER
    config.h11_max_incomplete_size = server.header_bytes
    config.h2_max_header_list_size = server.header_bytes
    config.h2_max_concurrent_streams = server.streams
    config.websocket_max_message_size = server.message_bytes
    config.websocket_ping_interval = PING_SECONDS
    return config


def _host(client: socket.socket, address: Any) -> str | None:
    return None if client.family == socket.AF_UNIX else str(address[0])
