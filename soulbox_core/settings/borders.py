"""Where clients come in."""

from typing import Annotated

import msgspec

from soulbox_core.settings.section import Port, Positive, Seconds, Section


class Server(Section):
    """The HTTP side."""

    host: str = "127.0.0.1"
    port: Port = 8000
    hosts: tuple[str, ...] = ()
    """Names besides localhost, 127.0.0.1 and [::1] that a request's Host header may have. Empty:
    no others on a loopback address, any elsewhere."""
    request_bytes: Positive = 16 << 20
    """Largest request body."""
    held_bytes: Positive = 512 << 20
    """What is held in memory for clients at one time: the requests that run or wait, the
    output they may have, the answers that are being sent."""
    source_bytes: Positive = 1 << 20
    """Largest single source file."""
    files: Positive = 256
    """Most files in one request."""
    answer_seconds: Seconds = 120.0
    """Longest that a client may keep its answer waiting, all pieces of it together."""
    lame_duck_seconds: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    """After SIGTERM, how long runs are still taken while /readyz says that it is not ready, for a
    load balancer to notice."""
    drain_seconds: Seconds = 30.0
    """After that, how long running code may take before it is killed."""
    connections: Positive = 2000
    """Most connections open at one time; one more is closed unheard."""
    connections_per_address: Positive = 1000
    """The same for one client address."""
    header_bytes: Annotated[int, msgspec.Meta(ge=1024, le=1 << 20)] = 32 << 10
    """Largest head of a request: its line and its headers together."""
    header_seconds: Seconds = 10.0
    """Longest that a client may take for the head of a request, once it began."""
    idle_seconds: Seconds = 60.0
    """Longest that a connection may lie idle before it is closed."""
    upload_seconds: Seconds = 120.0
    """Longest that a client may take to send a body."""
    streams: Positive = 100
    """Most requests at one time on one HTTP/2 connection."""
    message_bytes: Positive = 256 << 10
    """Largest WebSocket message from a client, in bytes, or characters if it is text."""
    json_depth: Annotated[int, msgspec.Meta(ge=4, le=256)] = 32
    """Deepest nesting of a JSON body."""
    idempotency_seconds: Seconds = 86400.0
    """How long the answer to a request with an Idempotency-Key is kept."""
    idempotency_bytes: Positive = 256 << 20
    """How much of such answers is held in memory, what runs under way may come to included; and of
    each caller's in Redis."""
    idempotency_redis: str = ""
    """Where such keys and answers are for all nodes, such as redis://127.0.0.1:6379/0; empty for
    those of this process alone. Needs results.secret."""
    idempotency_redis_seconds: Seconds = 1.0
    """How long Redis is waited for before such a request is refused."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks, such as 10.0.0.0/8, whose X-Forwarded-For header says who the client is."""
    cors_origins: tuple[str, ...] = ()
    """Origins, such as https://notebook.example.org, whose pages may use the API."""
    tls_certificate: str = ""
    """PEM file with the service's certificate and those above it; empty serves plain HTTP."""
    tls_key: str = ""
    """PEM file with its private key."""


class Grpc(Section):
    """The gRPC side, on a port of its own at server.host; server.tls_* holds for it too."""

    port: Port | None = None
    """TCP port; 0 chooses a free one, nothing leaves gRPC off."""
