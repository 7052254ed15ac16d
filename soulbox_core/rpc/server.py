"""gRPC beside HTTP: in the same process, on the same loop, on a port of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
from grpc_reflection.v1alpha import reflection

from soulbox_core.api.hold import Hold
from soulbox_core.api.ports import Catalog, Gate, Runs
from soulbox_core.errors import HostError
from soulbox_core.report import Traffic
from soulbox_core.rpc import health, servicer
from soulbox_core.rpc.call import Border
from soulbox_core.settings import Server, Settings

_MORE_BYTES = 64 << 10
"""Room for what a message is besides the program."""
_PING_MILLISECONDS = 10_000
_PING_STRIKES = 2
_GRACE_SECONDS = 1.0
_AGE_MILLISECONDS = 600_000


@asynccontextmanager
async def serving(
    settings: Settings,
    runs: Runs,
    catalog: Catalog,
    gate: Gate,
    hold: Hold,
    traffic: Traffic | None = None,
) -> AsyncIterator[int]:
    """Serve for the time of the context; the port.

    Runs that are under way when it ends are given up: by then they were drained.

    :param traffic: None if nobody wants to know of calls
    :raises HostError: the port cannot be had
    """
    server = grpc.aio.server(options=_options(settings))
    answers = servicer.handlers(
        servicer.Servicer(runs, catalog, Border(gate, traffic), settings, hold)
    )
    states = health.handlers(health.Health(catalog, gate))
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(servicer.SERVICE, answers),
            grpc.method_handlers_generic_handler(health.NAME, states),
        )
    )
    names = (servicer.SERVICE, health.NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    port = _bound(server, settings)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(_GRACE_SECONDS)


def _bound(server: grpc.aio.Server, settings: Settings) -> int:
    host = settings.server.host
    address = f"[{host}]:{settings.grpc.port}" if ":" in host else f"{host}:{settings.grpc.port}"
    try:
        if settings.server.tls_certificate:
            return server.add_secure_port(address, _credentials(settings.server))
        return server.add_insecure_port(address)
    except RuntimeError:
        raise HostError(
            f"cannot listen on {address}; set grpc.port to a port that is free"
        ) from None


def _credentials(server: Server) -> grpc.ServerCredentials:
    key, certificate = Path(server.tls_key), Path(server.tls_certificate)
    return grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])


def _options(settings: Settings) -> list[tuple[str, int]]:
    """The bounds that gRPC's core keeps (grpc/impl/channel_arg_names.h). Floods of cheap HTTP/2
    frames, resets among them, it ends by itself. A connection ends when it is old, and what is
    under way on it a while later: nothing else bounds how long a client may take for an answer.
    """
    server = settings.server
    longest = settings.limits.ceiling.wall_seconds + settings.admission.queue_seconds
    return [
        ("grpc.max_receive_message_length", server.request_bytes + _MORE_BYTES),
        ("grpc.max_concurrent_streams", server.streams),
        ("grpc.max_metadata_size", server.header_bytes),
        ("grpc.absolute_max_metadata_size", server.header_bytes),
        ("grpc.max_connection_idle_ms", round(server.idle_seconds * 1000)),
        ("grpc.max_connection_age_ms", _AGE_MILLISECONDS),
        (
            "grpc.max_connection_age_grace_ms",
            round((longest + server.answer_seconds) * 1000),
        ),
        ("grpc.max_allowed_incoming_connections", server.connections),
        ("grpc.http2.min_ping_interval_without_data_ms", _PING_MILLISECONDS),
        ("grpc.http2.max_ping_strikes", _PING_STRIKES),
        ("grpc.so_reuseport", 0),
    ]
