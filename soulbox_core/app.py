"""A running service as a process: its socket, its signals, its end."""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
from contextlib import AsyncExitStack, suppress
from importlib import import_module
from time import perf_counter

import uvloop
from starlette.applications import Starlette

from soulbox_core import registry
from soulbox_core.announcement import announce
from soulbox_core.api import application
from soulbox_core.api.extras import Extras
from soulbox_core.api.hold import Hold
from soulbox_core.api.hosts import check_exposure
from soulbox_core.api.server import HttpServer, check_edges
from soulbox_core.assembly.readings import of_clients
from soulbox_core.assembly.service import Service, open_service
from soulbox_core.draining import drain
from soulbox_core.errors import HostError, ImageError, PluginError
from soulbox_core.identity.running import URL
from soulbox_core.images.catalog import Builder, Found
from soulbox_core.registry import Registry
from soulbox_core.service_manager import ServiceManager
from soulbox_core.settings import Server, Settings
from soulbox_core.telemetry import logs

logger = logging.getLogger(__name__)

_YOUNG_OBJECTS = 20_000
"""New objects after which the collector looks at them: what some hundred requests make."""


def serve(settings: Settings) -> None:
    """Run the service until SIGTERM or SIGINT, then drain.

    :raises StartupError: the host, the settings or an image is not fit; says what to do
    """
    logs.configure(settings.log_level, settings.telemetry.log_format)
    _raise_descriptor_limit()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    started_at = perf_counter()
    check_exposure(settings.server, settings.auth)
    check_edges(settings.server)
    languages = registry.load(settings)
    if not languages.languages:
        raise PluginError("soulbox", "no language is installed; pip install soulbox-python")
    door = _bound_socket(settings.server)
    manager = ServiceManager.of(os.environ)
    images = _images(settings, languages)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_service(settings, languages, images) as service, AsyncExitStack() as borders:
        hold = Hold(settings.server.held_bytes)
        metrics = service.metrics
        also = Extras(
            identity=service.identity,
            executions=service.executions,
            results=service.results,
            health=service.health,
            metrics=None if metrics is None else metrics.text,
            traffic=metrics,
        )
        app: Starlette = application.build(
            service.runs, service.catalog, service.gate, settings, also, hold
        )
        grpc = await _serve_grpc(settings, service, hold, borders)
        scheme = "https" if settings.server.tls_certificate else "http"
        host = settings.server.host
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{door.getsockname()[1]}"
        (service.directory / URL).write_text(f"{url}\n")

        async def settle() -> None:
            await service.settle()
            _spare_the_collector()
            if stop.is_set() or service.catalog.stopping:
                return
            announce(url, grpc, languages, service, perf_counter() - started_at)
            service.catalog.settled()
            ready = sum(entry.ready for entry in service.catalog.entries())
            manager.ready(f"{ready} languages at {url}")

        def settled(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and task.exception() is not None:
                stop.set()  # the process ends with that

        settling = asyncio.create_task(settle())
        settling.add_done_callback(settled)

        async def until_drained() -> None:
            await stop.wait()
            manager.stopping(settings.server.lame_duck_seconds + settings.server.drain_seconds)
            await drain(service.catalog, service.admission, settings.server, stop)
            settling.cancel()
            await service.close()  # whoever still runs is answered before the connections close
            await borders.aclose()

        server = HttpServer(app, door, settings.server)
        if metrics is not None:
            metrics.watch(of_clients(hold, server.connections))
        async with manager.watched():
            await server.run(until_drained)
        with suppress(asyncio.CancelledError):
            await settling


async def _serve_grpc(
    settings: Settings, service: Service, hold: Hold, borders: AsyncExitStack
) -> str | None:
    """Serve gRPC until the stack is closed; where. Without it its libraries are not loaded: they
    take some 30 MB."""
    if settings.grpc.port is None:
        return None
    server = import_module("soulbox_core.rpc.server")
    serving = server.serving(
        settings, service.runs, service.catalog, service.gate, hold, service.metrics
    )
    return f"{settings.server.host}:{await borders.enter_async_context(serving)}"


def _spare_the_collector() -> None:
    """Have the garbage collector look at what requests leave behind, and not again and again at
    what was made for the start, which stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


def _raise_descriptor_limit() -> None:
    """A running cell takes some fifteen descriptors, a client one; the usual 1,024 are few."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _bound_socket(server: Server) -> socket.socket:
    """Take the address before anything is started for it; nobody can connect yet.

    :raises HostError: it cannot be had
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((server.host, server.port))
    except OSError as error:
        door.close()
        raise HostError(
            f"cannot listen on {server.host}:{server.port}: {error.strerror}; set server.host and"
            " server.port to an address that is free"
        ) from None
    return door


def _images(settings: Settings, languages: Registry) -> dict[str, Found]:
    """:raises ImageError: some are not built; says how to"""
    found = Builder(settings).found(languages.languages.values())
    missing = [name for name in languages.languages if name not in found]
    if missing:
        raise ImageError(f"no image for {', '.join(missing)}; run: soulbox images build")
    return found
