"""What the service makes of answers that were changed on purpose: in Redis, and on the way from the
database."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.integration.outage import service_on
from tests.integration.service import Service
from tests.quotas.redis_server import redis_server
from tests.store.server import surreal_server

_CLOCK = "import time; print(time.time_ns())"
_STEP = 13
"""Every so many bytes of an entry one is changed."""
_MODES = ("garble", "wrong", "noise", "drop")
"""See `tests.store.rpc`."""


@dataclass(frozen=True)
class Believed:
    """How it went."""

    tried: int
    served: int
    """Times that something else was told than what was kept."""
    counted: int
    """Times that the service's metrics tell of."""


def in_redis(flags: tuple[str, ...]) -> Believed:
    """Change one byte after the other of an entry, and ask for it.

    :param flags: more of the service's
    """
    with tempfile.TemporaryDirectory() as directory, redis_server(Path(directory)) as server:
        entries = redis.Redis(unix_socket_path=server.url.removeprefix("unix://"))
        service = Service(
            "bench-corrupted", *flags, "results.memory_bytes=0", f"results.redis={server.url}"
        )
        try:
            first = service.run(_CLOCK, cache=True)
            service.await_true(lambda: bool(entries.keys("soulbox:result:*")), "it is in Redis")
            (name,) = entries.keys("soulbox:result:*")
            kept = entries.get(name)
            assert isinstance(kept, bytes)
            positions = range(0, len(kept), _STEP)
            served = sum(_is_served(service, entries, name, kept, at, first) for at in positions)
            counted = _count(service, 'soulbox_cache_damaged_total{cache="result"}')
            return Believed(len(positions), served, counted)
        finally:
            service.stop()
            entries.close()


def of_the_database() -> Believed:
    """Have a database spoil its answers, and ask for a record."""
    with tempfile.TemporaryDirectory() as directory, surreal_server(Path(directory)) as database:
        service = service_on("bench-spoilt", database)
        try:
            id = service.run("print(1)")["id"]
            path = f"/v1/executions/{id}"
            service.await_true(lambda: service.client.get(path).status_code == 200, "a record")
            told = service.client.get(path).text
            tried = served = 0
            for mode in _MODES:
                database.spoil(mode)
                for _ in range(10):
                    answer = service.client.get(path)
                    tried += 1
                    served += answer.status_code == 200
                database.spoil("")
                service.await_true(lambda: service.client.get(path).text == told, "it is honest")
            return Believed(
                tried,
                served,
                _count(service, "soulbox_database_damaged_total")
                + _count(service, 'soulbox_database_failures_total{server="primary"}'),
            )
        finally:
            service.stop()


def _is_served(
    service: Service,
    entries: "redis.Redis",
    name: Any,
    kept: bytes,
    at: int,
    first: dict[str, Any],
) -> bool:
    """Change the byte there, and ask."""
    changed = bytearray(kept)
    changed[at] ^= 0x55
    entries.set(name, bytes(changed))
    answer = service.run(_CLOCK, cache=True)
    service.await_true(lambda: entries.get(name) not in (None, bytes(changed)), "it is mended")
    return bool(answer["cache"]["level"] != "none" or answer["id"] == first["id"])


def _count(service: Service, metric: str) -> int:
    for line in service.client.get("/metrics").text.splitlines():
        if line.startswith(f"{metric} "):
            return int(float(line.split()[-1]))
    raise AssertionError(f"no such metric: {metric}")
