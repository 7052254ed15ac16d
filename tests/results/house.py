"""What tests of the result cache need: outcomes, work that is counted, a clock that is set."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from soulbox_core.model import Hit, Outcome
from soulbox_core.results.cache import ResultCache
from soulbox_core.results.key import Parts
from soulbox_core.settings import Results
from tests import samples
from tests.loop import until
from tests.quotas.redis_server import RedisServer
from tests.samples import CALLER, allowance, request

SECRET = "the same on every node of this house"
ME, OTHER = CALLER.id, "key:ba9876543210"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def outcome(**changes: Any) -> Outcome:
    """One that is kept, changed as told."""
    return samples.outcome(**({"id": "1", "stdout": b"hi\n"} | changes))


def parts(caller: str = ME, **changes: Any) -> Parts:
    """What a plain request's answer depends on; changed as told, fields of the request first."""
    fields = {name: changes.pop(name) for name in tuple(changes) if name in _ASKED}
    allowed = allowance()
    usual: dict[str, Any] = {
        "request": request(**fields),
        "limits": allowed.run,
        "compile_limits": allowed.compile,
        "toolchain": "1.0 sha256:0123 2026-11-25",
        "caller": caller,
    }
    return Parts(**(usual | changes))


_ASKED = frozenset(request().__struct_fields__) - {"limits"}


class Work:
    """Counts how often it was done; each time there is another output.

    :param result: what comes of it, if it is not that
    :param gate: what it waits for
    """

    def __init__(
        self, result: Outcome | Exception | None = None, gate: asyncio.Event | None = None
    ) -> None:
        self.done = 0
        self.cancelled = 0
        self.result = result
        self.gate = gate

    async def __call__(self) -> Outcome:
        self.done += 1
        number = self.done
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.result, Exception):
            raise self.result
        return self.result or outcome(stdout=b"%d\n" % number)


@asynccontextmanager
async def cache(clock: Clock | None = None, **settings: Any) -> AsyncIterator[ResultCache]:
    cache = ResultCache(Results(**settings), clock or Clock())
    cache.start()
    try:
        yield cache
    finally:
        await cache.close()


@asynccontextmanager
async def node(
    server: RedisServer, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[ResultCache]:
    """One with Redis, that hears of what others drop."""
    usual = {"redis": server.url, "secret": SECRET, "redis_seconds": 5.0}
    async with cache(clock, **(usual | settings)) as it:
        await until(lambda: it.listening)
        yield it


def hit(outcome: Outcome) -> Hit:
    assert outcome.hit is not None
    return outcome.hit
