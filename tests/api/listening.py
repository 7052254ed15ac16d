"""The real HTTP server, before a service that has no sandbox."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from soulbox_core.api import server
from soulbox_core.api.application import build
from soulbox_core.settings import Server, Settings
from tests.api.fakes import FakeCatalog, FakeGate, FakeRuns


class Door:
    """A service on a port of its own."""

    def __init__(self, port: int, http: server.HttpServer, gate: FakeGate) -> None:
        self.port = port
        self.connections = http.connections
        self.gate = gate


@asynccontextmanager
async def open_door(runs: FakeRuns, **settings: Any) -> AsyncIterator[Door]:
    """:param settings: of `server`"""
    chosen = Server(**settings)
    gate = FakeGate()
    listener = socket.create_server(("127.0.0.1", 0))
    app = build(runs, FakeCatalog(), gate, Settings(server=chosen))
    http = server.HttpServer(app, listener, chosen)
    http._config.graceful_timeout = 0.01
    stop = asyncio.Event()
    door = Door(listener.getsockname()[1], http, gate)
    serving = asyncio.create_task(http.run(stop.wait))
    try:
        yield door
    finally:
        stop.set()
        await serving
        assert http.connections.open == 0


@asynccontextmanager
async def listening(runs: FakeRuns, **settings: Any) -> AsyncIterator[int]:
    """The same, by its port."""
    async with open_door(runs, **settings) as door:
        yield door.port


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes, by whatever means."""
    found = b""
    try:
        while piece := await reader.read(1 << 16):
            found += piece
    except ConnectionError:
        pass
    return found


async def no_connection(count: int = 0) -> None:
    """Wait for the server to be rid of all of them but so many."""
    for _ in range(1000):
        tasks = (str(task.get_coro()) for task in asyncio.all_tasks())
        if sum("HttpServer._serve" in task for task in tasks) <= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a connection is still there")
