"""Buckets in a real Redis, and without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from soulbox_core.quotas.limiter import MemoryLimiter, RedisLimiter
from soulbox_core.quotas.redis import RedisBuckets
from soulbox_core.remote.breaker import Breaker
from soulbox_core.remote.redis import connection
from soulbox_core.settings import Rate
from tests.loop import on_loop
from tests.quotas.redis_server import RedisServer

SLOW = Rate(requests_per_second=0.01, burst=5)
FAST = Rate(requests_per_second=50.0, burst=3)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def node(
    server: RedisServer, clock: Clock | None = None, seconds: float = 5.0
) -> AsyncIterator[RedisLimiter]:
    redis = connection(server.url, seconds)
    try:
        yield RedisLimiter(
            RedisBuckets(redis), Breaker(seconds, "counting in memory", clock or Clock())
        )
    finally:
        await redis.aclose(close_connection_pool=True)


async def takes(limiter: MemoryLimiter | RedisLimiter, count: int, rate: Rate = SLOW) -> int:
    standings = [await limiter.take("caller:key:1", rate, "caller") for _ in range(count)]
    return sum(standing.allowed for standing in standings)


@on_loop
async def test_without_redis_it_is_memory() -> None:
    assert await takes(MemoryLimiter(), 7) == 5


@on_loop
async def test_two_nodes_share_a_bucket(server: RedisServer) -> None:
    async with node(server) as one, node(server) as other:
        assert sum(await asyncio.gather(takes(one, 4), takes(other, 4))) == 5
        standing = await one.take("caller:key:1", SLOW, "caller")
        assert (standing.allowed, standing.remaining, standing.limit) == (False, 0, 5)
        assert 90 < standing.retry_after_seconds <= 100
        assert 490 < standing.reset_seconds <= 500
        assert one.fallbacks == other.fallbacks == 0


@on_loop
async def test_a_bucket_in_redis_fills(server: RedisServer) -> None:
    async with node(server) as limiter:
        standings = [await limiter.take("a", FAST, "x") for _ in range(20)]
        refused = next(standing for standing in standings if not standing.allowed)
        await asyncio.sleep(refused.retry_after_seconds + 0.001)
        assert (await limiter.take("a", FAST, "x")).allowed


@on_loop
async def test_a_full_bucket_is_gone_from_redis(server: RedisServer) -> None:
    async with node(server) as limiter:
        await limiter.take("a", FAST, "x")
        for _ in range(200):
            if not server.keys():
                break
            await asyncio.sleep(0.01)
        assert server.keys() == []


@on_loop
async def test_redis_gone_costs_nobody_a_request(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with node(server, clock) as limiter:
        assert await takes(limiter, 5) == 5
        server.kill()
        assert await takes(limiter, 7) == 5
        assert limiter.fallbacks == 7
        server.start()
        assert await takes(limiter, 1) == 0, "it is left alone for a moment"
        clock.now += 10.0
        assert await takes(limiter, 1) == 1, "the bucket there is a new one"
        assert [record.message for record in caplog.records] == [
            "redis does not answer, counting in memory: ConnectionError",
            "redis answers again; until now: counting in memory",
        ]


@on_loop
async def test_a_slow_redis_is_not_waited_for_again_and_again(server: RedisServer) -> None:
    clock = Clock()
    async with node(server, clock, seconds=0.05) as limiter:
        assert await takes(limiter, 1) == 1
        server.pause()
        assert await takes(limiter, 7) == 5
        assert limiter.fallbacks == 7
        server.resume()
        clock.now += 10.0
        assert await takes(limiter, 4) == 3, "one token was taken while nobody waited any more"
