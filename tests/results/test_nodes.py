"""With a real Redis: nodes share answers and forget together; what is in it is not believed, and
when it is gone nothing stops."""

import asyncio

import msgspec
import pytest
import redis

from soulbox_core.errors import StoreFailed
from soulbox_core.model import Outcome
from soulbox_core.results import notices, writing
from soulbox_core.results.cache import ResultCache
from soulbox_core.results.redis import CHANNEL
from tests.loop import on_loop, settle, until
from tests.quotas.redis_server import RedisServer
from tests.results.house import (
    ME,
    OTHER,
    SECRET,
    Clock,
    Work,
    cache,
    hit,
    node,
    outcome,
    parts,
)


class Redis:
    """What somebody else in the same Redis can do."""

    def __init__(self, server: RedisServer) -> None:
        self._client = redis.Redis.from_url(server.url)

    def __enter__(self) -> "redis.Redis":
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()


async def asked(it: ResultCache, work: Work, caller: str = ME, stdin: bytes = b"") -> Outcome:
    return await it.once(it.key_of(parts(caller, stdin=stdin)), caller, work)


async def written(server: RedisServer, count: int = 1) -> None:
    await until(lambda: len(server.keys()) == count)


@on_loop
async def test_two_nodes_share_answers(server: RedisServer) -> None:
    clock, work = Clock(), Work()
    async with node(server, clock) as one, node(server, clock) as other:
        await asked(one, work)
        await written(server)
        clock.now += 7.0
        told = await asked(other, work)
        assert (hit(told).level, hit(told).age_seconds) == ("redis", 7.0)
        assert msgspec.structs.replace(told, hit=None) == outcome(stdout=b"1\n")
        again = await asked(other, work)
        assert (hit(again).level, hit(again).age_seconds) == ("memory", 7.0)
        assert work.done == 1
        assert (other.counts.hits_redis, other.counts.hits_memory) == (1, 1)
        assert (one.counts.stored, other.counts.stored, other.counts.misses) == (1, 0, 0)


@on_loop
async def test_an_answer_from_redis_gets_no_second_life_in_memory(server: RedisServer) -> None:
    clock, work = Clock(), Work()
    async with node(server, clock, seconds=60.0) as one, node(server, clock, seconds=60.0) as other:
        await asked(one, work)
        await written(server)
        clock.now += 59.0
        assert hit(await asked(other, work)).level == "redis"
        clock.now += 1.0
        assert hit(await asked(other, work)).level == "none"


@on_loop
async def test_redis_forgets_in_time(server: RedisServer) -> None:
    async with node(server, seconds=60.0) as it:
        await asked(it, Work())
        await written(server)
        with Redis(server) as client:
            assert 50_000 < client.pttl(server.keys()[0]) <= 60_000


@on_loop
async def test_those_who_wait_for_redis_are_told_so(server: RedisServer) -> None:
    async with node(server) as one, node(server) as other:
        await asked(one, Work())
        await written(server)
        told = await asyncio.gather(*(asked(other, Work()) for _ in range(3)))
        assert [hit(each).level for each in told] == ["redis"] * 3
        assert (other.counts.hits_redis, other.counts.misses, other.counts.joined) == (3, 0, 0)


@on_loop
async def test_entries_are_named_so_that_a_callers_can_be_found(server: RedisServer) -> None:
    async with node(server) as it:
        await asked(it, Work())
        await written(server)
        key = it.key_of(parts())
        assert server.keys() == [f"soulbox:result:{key[:16]}:{key}"]
        assert ME not in server.keys()[0]
    async with node(server, shared=True) as it:
        await asked(it, Work())
        await written(server, 2)
        names = server.keys()
        assert f"soulbox:result:shared:{it.key_of(parts())}" in names


@on_loop
async def test_every_byte_flipped_in_redis_is_noticed(server: RedisServer) -> None:
    clock = Clock()
    async with node(server, clock) as one:
        await asked(one, Work())
        await written(server)
    (name,) = server.keys()
    with Redis(server) as client:
        good = client.get(name)
        assert isinstance(good, bytes)
        async with node(server, clock, memory_bytes=0) as it:
            assert hit(await asked(it, Work())).level == "redis"
            for place in range(len(good)):
                flipped = bytearray(good)
                flipped[place] ^= 1 << place % 8
                client.set(name, bytes(flipped))
                # What comes of it is not kept, so that it is the flipped one which is removed.
                told = await asked(it, Work(outcome(stdout=b"x" * (1 << 20))))
                assert hit(told).level == "none"
                assert it.counts.damaged == place + 1
                await until(lambda: server_is_empty(client))


def server_is_empty(client: "redis.Redis") -> bool:
    return client.dbsize() == 0


@on_loop
@pytest.mark.parametrize("kind", ["empty", "list", "long", "another's", "too old"])
async def test_whatever_else_is_there_is_not_believed(server: RedisServer, kind: str) -> None:
    clock = Clock()
    async with node(server, clock, seconds=60.0) as it:
        await asked(it, Work())
        await asked(it, Work(), stdin=b"other")
        await written(server, 2)
        key, other = it.key_of(parts()), it.key_of(parts(stdin=b"other"))
    name, other_name = (f"soulbox:result:{each[:16]}:{each}" for each in (key, other))
    with Redis(server) as client:
        if kind == "list":
            client.delete(name)
            client.rpush(name, "a")
        elif kind == "long":
            client.setrange(name, 32 << 20, b"x")
        elif kind == "another's":
            client.set(name, client.get(other_name))  # type: ignore[arg-type]  # it is there
        elif kind == "empty":
            client.set(name, b"")
        else:
            client.persist(name)
            clock.now += 60.0
    async with node(server, clock, seconds=60.0) as it:
        assert hit(await asked(it, Work())).level == "none"
        assert it.counts.redis_failures == 0
        assert it.counts.damaged == (kind in ("list", "long", "another's"))


@on_loop
async def test_who_does_not_know_the_secret_is_not_believed(server: RedisServer) -> None:
    async with node(server) as it:
        await asked(it, Work())
        await written(server)
        key = it.key_of(parts())
    async with node(server, secret="one that whoever can write to Redis made up") as liar:
        lie = liar._seal.closed(key, outcome(stdout=b"lies"), 1_000_000.0)
        assert lie is not None
    with Redis(server) as client:
        client.set(server.keys()[0], lie)
    async with node(server) as it:
        told = await asked(it, Work())
        assert (hit(told).level, told.stdout, it.counts.damaged) == ("none", b"1\n", 1)


@on_loop
async def test_a_redis_that_is_killed_stops_nobody(server: RedisServer) -> None:
    async with node(server) as it:
        await asked(it, Work())
        await written(server)
        server.kill()
        work = Work()
        assert hit(await asked(it, work)).level == "memory"
        told = await asked(it, work, stdin=b"new")
        assert hit(told).level == "none"
        assert hit(await asked(it, work, stdin=b"new")).level == "memory"
        assert it.counts.redis_failures == 1
        await until(lambda: it.counts.dropped == 1)
        with pytest.raises(StoreFailed):
            await it.drop(it.key_of(parts()))
        assert hit(await asked(it, Work())).level == "none"  # it is gone here nevertheless


@on_loop
async def test_a_redis_that_hangs_is_not_waited_for(server: RedisServer) -> None:
    async with node(server, redis_seconds=0.1) as it:
        server.pause()
        work = Work()
        for number in range(20):
            assert hit(await asked(it, work, stdin=b"%d" % number)).level == "none"
        assert work.done == 20
        assert 1 <= it.counts.redis_failures <= 3  # and not each of them waited
        await until(lambda: it.counts.dropped == 20)
        server.resume()


@on_loop
async def test_a_redis_that_hangs_while_it_is_asked_stops_nobody(server: RedisServer) -> None:
    async with node(server, redis_seconds=0.2) as it:
        server.pause()
        told = await asyncio.gather(*(asked(it, Work()) for _ in range(3)))
        assert [hit(each).level for each in told] == ["none", "joined", "joined"]
        server.resume()


@on_loop
async def test_a_drop_reaches_the_memory_of_the_other_node(server: RedisServer) -> None:
    async with node(server) as one, node(server) as other:
        await asked(one, Work())
        await written(server)
        assert hit(await asked(other, Work())).level == "redis"
        await asked(other, Work(), stdin=b"stays")
        await written(server, 2)
        assert await one.drop(one.key_of(parts()))
        await until(lambda: other.counts.entries == 1)
        assert hit(await asked(other, Work())).level == "none"
        assert hit(await asked(other, Work(), stdin=b"stays")).level == "memory"
        assert not await one.drop("0" * 64)


@on_loop
async def test_all_answers_of_a_caller_are_dropped_on_all_nodes(server: RedisServer) -> None:
    async with node(server) as one, node(server) as other:
        for caller in (ME, OTHER):
            for number in range(3):
                it = (one, other)[number % 2]
                await asked(it, Work(), caller, stdin=b"%d" % number)
        await written(server, 6)
        assert await one.drop_caller(ME) == 3
        await until(lambda: one.counts.entries + other.counts.entries == 3)
        assert len(server.keys()) == 3
        assert hit(await asked(one, Work(), OTHER, stdin=b"0")).level == "memory"
        assert await one.drop_caller(ME) == 0


@on_loop
async def test_a_drop_on_one_node_makes_runs_of_another_one_that_go_on_unkept(
    server: RedisServer,
) -> None:
    work = Work(gate=asyncio.Event())
    async with node(server) as one, node(server) as other:
        running = asyncio.create_task(asked(other, work))
        await until(lambda: work.done == 1)
        await one.drop(one.key_of(parts()))
        await until(lambda: other._drops > 1)  # one of them when it began to listen
        assert work.gate is not None
        work.gate.set()
        await running
        assert (other.counts.entries, other.counts.stored, server.keys()) == (0, 0, [])


@on_loop
async def test_notices_that_are_not_ours_drop_nothing(server: RedisServer) -> None:
    async with node(server) as it:
        await asked(it, Work())
        key = it.key_of(parts())
        async with node(server, secret="one that whoever can write to Redis made up") as liar:
            lie = liar._redis.notices.notice(key) if liar._redis is not None else b""
        lies = (b"", b"x", lie, bytes(32) + key.encode(), key.encode(), b"\xff" * 200)
        with Redis(server) as client:
            for each in lies:
                client.publish(CHANNEL, each)
        await until(lambda: it.counts.damaged == len(lies))
        assert hit(await asked(it, Work())).level == "memory"


@on_loop
async def test_who_may_have_missed_a_notice_forgets_everything(server: RedisServer) -> None:
    async with node(server) as it:
        await asked(it, Work())
        server.kill()
        await until(lambda: not it.listening)
        assert hit(await asked(it, Work())).level == "memory"
        server.start()
        await until(lambda: it.listening)
        assert it.counts.entries == 0


@on_loop
async def test_a_redis_that_fell_silent_is_noticed(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "SILENCE_SECONDS", 0.05)
    async with node(server) as it:
        await asyncio.sleep(0.3)
        assert it.listening  # it answers when it is asked
        server.pause()
        await until(lambda: not it.listening)
        server.resume()
        await until(lambda: it.listening)


@on_loop
async def test_a_service_starts_without_redis_and_finds_it_later(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    async with cache(redis=server.url, secret=SECRET) as it:
        assert hit(await asked(it, Work())).level == "none"
        assert not it.listening
        assert it.counts.redis_failures == 1
        server.start()
        await until(lambda: it.listening)
    assert caplog.text.count("is lost") == 1
    assert caplog.text.count("running instead") == 1


@on_loop
async def test_what_waits_for_redis_is_bounded(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST", 10)
    async with node(server) as it:
        server.pause()
        level = it._redis
        assert level is not None
        for number in range(30):
            level.writing.set(f"{number:064x}", b"x", 10.0, lambda: True)
        assert it.counts.dropped == 20
        await settle()  # one is on its way
        monkeypatch.setattr(writing, "MOST_BYTES", 1000)
        level.writing.set("f" * 64, b"x" * 1000, 10.0, lambda: True)
        assert it.counts.dropped == 21
        server.resume()
        await written(server, 10)


@on_loop
async def test_what_waits_at_the_end_is_written(server: RedisServer) -> None:
    async with node(server) as it:
        for number in range(50):
            await asked(it, Work(), stdin=b"%d" % number)
    assert len(server.keys()) == 50
    assert it.counts.dropped == 0


@on_loop
async def test_an_end_without_redis_is_an_end(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulbox_core.results.cache._CLOSE_SECONDS", 0.1)
    async with node(server, redis_seconds=30.0) as it:
        server.pause()
        level = it._redis
        assert level is not None
        for number in range(5):
            level.writing.set(f"{number:064x}", b"x", 10.0, lambda: True)
        await settle()
    server.resume()
    assert it.counts.dropped == 5
