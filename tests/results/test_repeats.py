"""Requests with an Idempotency-Key on several nodes, in a real Redis that goes away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import redis

from soulbox_core.errors import IdempotencyMismatch, SandboxError, StoreFailed
from soulbox_core.model import Limits, Outcome, OutputFile
from soulbox_core.remote.breaker import Breaker
from soulbox_core.remote.redis import connection
from soulbox_core.results import repeats
from soulbox_core.results.repeats import Repeats
from soulbox_core.service.idempotency import Idempotency
from tests.loop import on_loop, until
from tests.quotas.redis_server import RedisServer
from tests.results.house import ME, OTHER, SECRET, Work, outcome
from tests.samples import request

KEY = "once"
ASKED = b"a" * 32
SECONDS = 1000.0
MOST_BYTES = 10_000


@asynccontextmanager
async def node(
    server: RedisServer,
    secret: str = SECRET,
    most_bytes: int = MOST_BYTES,
    keeping_seconds: float = 5.0,
) -> AsyncIterator[Repeats]:
    client = connection(server.url, 5.0)
    asking, keeping = Breaker(5.0, "refusing"), Breaker(keeping_seconds, "forgetting")
    try:
        yield Repeats(client, asking, keeping, secret, SECONDS, most_bytes)
    finally:
        await client.aclose(close_connection_pool=True)


def raw(server: RedisServer) -> Any:
    """A client for whoever may write there."""
    return redis.Redis.from_url(server.url)


def answers(server: RedisServer) -> list[str]:
    """What is kept, without what is kept of it."""
    names = server.keys()
    return [name for name in names if not name.endswith((":names", ":bytes"))]


def plain(found: Outcome) -> Outcome:
    return msgspec.structs.replace(found, replayed=False)


@on_loop
async def test_what_one_node_did_another_one_tells(server: RedisServer) -> None:
    work = Work(outcome(status="failed", exit_code=3, stderr=b"\xff"))
    async with node(server) as one, node(server) as two:
        first = await one.once(ME, KEY, ASKED, work)
        second = await two.once(ME, KEY, ASKED, work)
    assert (work.done, first.replayed, second.replayed) == (1, False, True)
    assert plain(second) == first


@on_loop
async def test_of_many_nodes_at_once_one_does_it(server: RedisServer) -> None:
    gate = asyncio.Event()
    work = Work(gate=gate)
    async with node(server) as one, node(server) as two, node(server) as three:
        tasks = [
            asyncio.create_task(each.once(ME, KEY, ASKED, work)) for each in (one, two, three) * 3
        ]
        await until(lambda: answers(server))
        await asyncio.sleep(0.2)
        gate.set()
        found = await asyncio.gather(*tasks)
    assert work.done == 1
    assert sorted(each.replayed for each in found) == [False] + [True] * 8
    assert len({each.stdout for each in found}) == 1


@on_loop
async def test_callers_and_keys_are_held_apart(server: RedisServer) -> None:
    work = Work()
    names = ((ME, KEY), (OTHER, KEY), (ME, "twice"), (f"{ME} once", ""), (ME, "once "))
    async with node(server) as one:
        for caller, key in names:
            await one.once(caller, key, ASKED, work)
    assert work.done == len(names)


@on_loop
@pytest.mark.parametrize("waiting", [True, False])
async def test_a_key_is_of_one_request_on_all_nodes(server: RedisServer, waiting: bool) -> None:
    gate = asyncio.Event()
    async with node(server) as one, node(server) as two:
        first = asyncio.create_task(one.once(ME, KEY, ASKED, Work(gate=gate)))
        await until(lambda: answers(server))
        if not waiting:
            gate.set()
            await first
        with pytest.raises(IdempotencyMismatch):
            await two.once(ME, KEY, b"b" * 32, Work())
        gate.set()
        await first


@on_loop
async def test_what_failed_is_done_again_by_who_waited(server: RedisServer) -> None:
    gate = asyncio.Event()
    work = Work()
    async with node(server) as one, node(server) as two:
        failing = asyncio.create_task(
            one.once(ME, KEY, ASKED, Work(SandboxError("it broke"), gate))
        )
        await until(lambda: answers(server))
        waiting = asyncio.create_task(two.once(ME, KEY, ASKED, work))
        gate.set()
        with pytest.raises(SandboxError):
            await failing
        assert (await waiting).replayed is False
    assert work.done == 1


@on_loop
async def test_a_node_that_is_gone_is_waited_for_until_its_claim_lapses(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "_LEASE", 300)
    monkeypatch.setattr(repeats, "_RENEW_SECONDS", 1000.0)  # as who is dead renews it
    work = Work()
    async with node(server) as dead, node(server) as alive:
        lost = asyncio.create_task(dead.once(ME, KEY, ASKED, Work(gate=asyncio.Event())))
        await until(lambda: answers(server))
        assert (await alive.once(ME, KEY, ASKED, work)).replayed is False
        assert work.done == 1
        lost.cancel()
        await asyncio.wait((lost,))
        again = await alive.once(ME, KEY, ASKED, work)
    assert again.replayed, "who lost its claim does not take the other's answer away"


@on_loop
async def test_a_claim_is_renewed_while_the_work_goes_on(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "_LEASE", 2000)
    monkeypatch.setattr(repeats, "_RENEW_SECONDS", 0.05)
    gate = asyncio.Event()
    async with node(server) as one:
        doing = asyncio.create_task(one.once(ME, KEY, ASKED, Work(gate=gate)))
        await until(lambda: answers(server))
        with raw(server) as client:
            (name,) = answers(server)
            client.pexpire(name, 500)
            await until(lambda: client.pttl(name) > 1000)
        gate.set()
        await doing


@on_loop
async def test_what_redis_forgot_it_is_told_again(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "_RENEW_SECONDS", 0.05)
    gate = asyncio.Event()
    work = Work(gate=gate)
    async with node(server) as one, node(server) as two:
        doing = asyncio.create_task(one.once(ME, KEY, ASKED, work))
        await until(lambda: answers(server))
        with raw(server) as client:
            client.flushall()
        await until(lambda: answers(server))
        asking = asyncio.create_task(two.once(ME, KEY, ASKED, work))
        gate.set()
        await doing
        assert (await asking).replayed
    assert work.done == 1


@on_loop
async def test_an_answer_is_kept_though_its_claim_was_forgotten(server: RedisServer) -> None:
    gate = asyncio.Event()
    work = Work(gate=gate)
    async with node(server) as one, node(server) as two:
        doing = asyncio.create_task(one.once(ME, KEY, ASKED, work))
        await until(lambda: answers(server))
        with raw(server) as client:
            client.flushall()
        gate.set()
        await doing
        assert (await two.once(ME, KEY, ASKED, work)).replayed
    assert work.done == 1


@on_loop
async def test_without_redis_nothing_is_done(server: RedisServer) -> None:
    work = Work()
    async with node(server) as one:
        server.kill()
        with pytest.raises(StoreFailed, match="nothing was run"):
            await one.once(ME, KEY, ASKED, work)
    assert work.done == 0


@on_loop
async def test_a_redis_that_goes_meanwhile_takes_the_answer_from_nobody(
    server: RedisServer,
) -> None:
    gate = asyncio.Event()
    async with node(server) as one:
        doing = asyncio.create_task(one.once(ME, KEY, ASKED, Work(gate=gate)))
        await until(lambda: answers(server))
        server.kill()
        gate.set()
        assert (await doing).stdout == b"1\n"


@on_loop
@pytest.mark.parametrize("kept", [b"", b"c", b"a", b"x" * 200, b"a" + b"\0" * 200])
async def test_what_is_no_answer_of_ours_is_not_given_out(server: RedisServer, kept: bytes) -> None:
    work = Work()
    async with node(server) as one, node(server, SECRET + "x") as stranger:
        await one.once(ME, KEY, ASKED, work)
        (name,) = answers(server)
        with raw(server) as client:
            client.set(name, kept or client.get(name)[:-1] + b"\0")
            with pytest.raises(StoreFailed, match="is damaged"):
                await one.once(ME, KEY, ASKED, work)
            # An answer of theirs under our name, and one of ours under another name.
            await stranger.once(ME, KEY, ASKED, work)
            await one.once(ME, "other", ASKED, work)
            for other in set(answers(server)) - {name}:
                client.set(name, client.get(other))
                with pytest.raises(StoreFailed, match="is damaged"):
                    await one.once(ME, KEY, ASKED, work)
    assert work.done == 3


@on_loop
async def test_an_answer_of_another_version_is_not_taken_for_none(server: RedisServer) -> None:
    work = Work()
    async with node(server) as one:
        await one.once(ME, KEY, ASKED, work)
        (name,) = answers(server)
        payload = msgspec.msgpack.encode([b"", {"unknown": 1}])
        with raw(server) as client:
            client.set(name, b"a" + one._tag(name, payload) + payload)
        with pytest.raises(StoreFailed, match="cannot be read by this node"):
            await one.once(ME, KEY, ASKED, work)
    assert work.done == 1


@on_loop
async def test_a_node_knows_its_own_answers_without_redis(server: RedisServer) -> None:
    work = Work()
    async with node(server) as here, node(server) as there:
        one, two = (
            Idempotency(SECONDS, 1 << 20, elsewhere=elsewhere) for elsewhere in (here, there)
        )
        limits = Limits(output_bytes=1024)
        first = await one.once((ME, KEY), request(), limits, work)
        second = await two.once((ME, KEY), request(), limits, work)
        assert (first.replayed, second.replayed) == (False, True)
        with pytest.raises(IdempotencyMismatch):
            await two.once((ME, KEY), request(stdin=b"x"), limits, work)
        server.kill()
        for each in (one, two):
            assert (await each.once((ME, KEY), request(), limits, work)).replayed
            with pytest.raises(StoreFailed):
                await each.once((ME, "new"), request(), limits, work)
            assert each.held_bytes > 0, "what failed is forgotten, and nothing else"
    assert work.done == 1


@on_loop
async def test_names_tell_nothing(server: RedisServer) -> None:
    async with node(server) as one:
        await one.once(ME, KEY, ASKED, Work())
        names = server.keys()
        for name in names:
            assert ME not in name
            assert KEY not in name.removeprefix("soulbox:once:")
        (name,) = answers(server)
        with raw(server) as client:
            assert ASKED not in client.get(name)


@on_loop
async def test_of_a_callers_answers_the_oldest_go(server: RedisServer) -> None:
    big = outcome(stdout=b"x" * 4000)
    async with node(server) as one:
        for number in range(4):
            await one.once(ME, str(number), ASKED, Work(big))
        await one.once(OTHER, KEY, ASKED, Work(big))
        assert len(answers(server)) == 3
        anew = Work(big)
        for number, replayed in ((3, True), (2, True), (0, False)):
            assert (await one.once(ME, str(number), ASKED, anew)).replayed is replayed
        assert (await one.once(OTHER, KEY, ASKED, anew)).replayed
    assert anew.done == 1
    with raw(server) as client:
        for name in client.keys("*:bytes"):
            held = sum(
                int(each.split()[1])
                for each in client.zrange(name.replace(b":bytes", b":names"), 0, -1)
            )
            assert int(client.get(name)) == held <= MOST_BYTES


@on_loop
async def test_what_is_over_makes_room_and_takes_no_newer_answer_along(server: RedisServer) -> None:
    big = outcome(stdout=b"x" * 4000)
    async with node(server) as one:
        await one.once(ME, KEY, ASKED, Work(big))
        with raw(server) as client:
            (name,) = answers(server)
            (names,) = client.keys("*:names")
            (member,) = client.zrange(names, 0, -1)
            client.delete(name)  # as its time does
            client.zadd(names, {member: 1})
            await one.once(ME, KEY, ASKED, Work(big))
            assert client.exists(name)
            assert client.zcard(names) == 1
            await one.once(ME, "2", ASKED, Work(big))
            assert client.zcard(names) == len(answers(server)) == 2


@on_loop
async def test_what_cannot_be_kept_is_answered_all_the_same(server: RedisServer) -> None:
    odd = OutputFile(path="\udcff", content=b"")
    for result in (outcome(stdout=b"x" * MOST_BYTES), outcome(output_files=(odd,))):
        async with node(server) as one:
            assert await one.once(ME, KEY, ASKED, Work(result)) == result
        assert answers(server) == []


@on_loop
async def test_answers_that_take_too_long_to_keep_do_not_have_others_refused(
    server: RedisServer,
) -> None:
    async with node(server, keeping_seconds=0.0) as one:
        for key in ("big", "next"):
            assert await one.once(ME, key, ASKED, Work(outcome())) == outcome()


@on_loop
async def test_an_answer_is_kept_for_its_time(server: RedisServer) -> None:
    async with node(server) as one:
        await one.once(ME, KEY, ASKED, Work())
    with raw(server) as client:
        for name in client.keys("*"):
            assert 0 < client.pttl(name) <= SECONDS * 1000
