"""What comes from where, what is kept and for whom: one node without Redis."""

import asyncio
from typing import Any

import msgspec
import pytest

from soulbox_core.errors import Overloaded, SettingsError
from soulbox_core.model import Outcome, Status, Visit
from soulbox_core.results.cache import ResultCache
from soulbox_core.settings import Results
from tests.loop import on_loop, settle
from tests.results.house import ME, OTHER, Clock, Work, cache, hit, outcome, parts

VISIT = Visit(host="a.b", port=443, allowed=True, connections=1, sent_bytes=1, received_bytes=1)


def asked(cache: ResultCache, work: Work, caller: str = ME) -> "asyncio.Task[Outcome]":
    key = cache.key_of(parts(caller))
    return asyncio.create_task(cache.once(key, caller, work))


@on_loop
async def test_the_first_is_run_and_the_next_ones_are_not() -> None:
    clock, work = Clock(), Work()
    async with cache(clock) as it:
        key = it.key_of(parts())
        first = await it.once(key, ME, work)
        assert (hit(first).key, hit(first).level, hit(first).age_seconds) == (key, "none", 0.0)
        clock.now += 12.5
        for _ in range(3):
            next_ = await it.once(key, ME, work)
            assert (hit(next_).level, hit(next_).age_seconds) == ("memory", 12.5)
            assert msgspec.structs.replace(next_, hit=None) == outcome(stdout=b"1\n")
        assert work.done == 1
        counts = it.counts
        assert (counts.misses, counts.stored, counts.hits_memory, counts.joined) == (1, 1, 3, 0)


@on_loop
async def test_it_is_run_again_when_its_time_is_over() -> None:
    clock, work = Clock(), Work()
    async with cache(clock, seconds=60.0) as it:
        key = it.key_of(parts())
        await it.once(key, ME, work)
        clock.now += 59.0
        assert hit(await it.once(key, ME, work)).level == "memory"
        clock.now += 1.0
        again = await it.once(key, ME, work)
        assert (hit(again).level, again.stdout) == ("none", b"2\n")
        assert it.counts.damaged == 0


@on_loop
async def test_equal_requests_at_one_time_are_one_run() -> None:
    work = Work(gate=asyncio.Event())
    async with cache() as it:
        waiting = [asked(it, work) for _ in range(5)]
        await settle()
        assert work.gate is not None
        work.gate.set()
        told = await asyncio.gather(*waiting)
        assert work.done == 1
        assert [hit(each).level for each in told] == ["none", *["joined"] * 4]
        assert [hit(each).age_seconds for each in told] == [0.0] * 5
        assert {each.stdout for each in told} == {b"1\n"}
        assert (it.counts.misses, it.counts.joined) == (1, 4)


@on_loop
async def test_one_who_leaves_takes_nothing_from_the_others() -> None:
    work = Work(gate=asyncio.Event())
    async with cache() as it:
        first, second = asked(it, work), asked(it, work)
        await settle()
        first.cancel()
        await settle()
        assert work.cancelled == 0
        assert work.gate is not None
        work.gate.set()
        assert hit(await second).level == "joined"
        assert first.cancelled()
        assert hit(await asked(it, work)).level == "memory"


@on_loop
async def test_the_last_who_leaves_ends_the_run_and_nothing_is_kept() -> None:
    work = Work(gate=asyncio.Event())
    async with cache() as it:
        waiting = [asked(it, work) for _ in range(2)]
        await settle()
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
        await settle()
        assert (work.done, work.cancelled) == (1, 1)
        assert it.counts.entries == 0


@on_loop
async def test_a_refusal_goes_to_all_who_wait_and_is_not_kept() -> None:
    work = Work(Overloaded("the queue is full"), asyncio.Event())
    async with cache() as it:
        waiting = [asked(it, work) for _ in range(3)]
        await settle()
        assert work.gate is not None
        work.gate.set()
        for each in waiting:
            with pytest.raises(Overloaded):
                await each
        assert (work.done, it.counts.entries, it.counts.stored) == (1, 0, 0)
        work.result = None
        assert hit(await asked(it, work)).level == "none"


@on_loop
async def test_callers_do_not_wait_for_each_other_even_where_they_share() -> None:
    mine, others = Work(Overloaded("your quota"), asyncio.Event()), Work()
    async with cache(shared=True) as it:
        refused = asked(it, mine, ME)
        await settle()
        assert hit(await asked(it, others, OTHER)).level == "none"
        assert mine.gate is not None
        mine.gate.set()
        with pytest.raises(Overloaded):
            await refused


@on_loop
async def test_callers_share_answers_where_the_operator_says_so_and_only_there() -> None:
    for shared, level in ((False, "none"), (True, "memory")):
        work = Work()
        async with cache(shared=shared) as it:
            await asked(it, work, ME)
            assert hit(await asked(it, work, OTHER)).level == level
            assert hit(await asked(it, work, ME)).level == "memory"


@on_loop
@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.FAILED, "exit_code": 1},
        {"status": Status.WALL_TIME_EXCEEDED, "exit_code": None},
        {"status": Status.COMPILE_FAILED, "exit_code": 1},
        {"network": (VISIT,)},
        {"stdout": b"x" * 20_000},
        {"outputs_skipped": ("\udcff",)},
    ],
)
async def test_what_is_not_kept_is_run_each_time(changes: dict[str, Any]) -> None:
    work = Work(outcome(**changes))
    async with cache(entry_bytes=10_000) as it:
        for _ in range(2):
            told = await asked(it, work)
            assert hit(told).level == "none"
            assert msgspec.structs.replace(told, hit=None) == work.result
        assert (work.done, it.counts.entries, it.counts.stored) == (2, 0, 0)


@on_loop
async def test_what_is_in_memory_stays_within_its_bound() -> None:
    async with cache(memory_bytes=50_000) as it:
        for number in range(100):
            key = it.key_of(parts(stdin=b"%d" % number))
            await it.once(key, ME, Work(outcome(stdout=b"x" * 1000)))
        assert it.counts.bytes <= 50_000
        assert it.counts.entries + it.counts.evicted == 100
        assert 20 < it.counts.entries < 40
        assert hit(await it.once(key, ME, Work())).level == "memory"


@on_loop
async def test_damage_in_memory_is_never_given() -> None:
    work = Work()
    async with cache() as it:
        key = it.key_of(parts())
        await asked(it, work)
        data = bytearray(await it._memory.get(key))
        data[-3] ^= 1
        await it._memory.set(key, bytes(data), ttl=10.0)
        assert hit(await asked(it, work)).level == "none"
        assert (it.counts.damaged, work.done) == (1, 2)
        assert hit(await asked(it, work)).level == "memory"


@on_loop
async def test_an_answer_is_dropped() -> None:
    work = Work()
    async with cache() as it:
        key = it.key_of(parts())
        await asked(it, work)
        assert await it.drop(key)
        assert not await it.drop(key)
        assert not await it.drop(key[:16])
        assert hit(await asked(it, work)).level == "none"


@on_loop
async def test_the_answers_of_a_caller_are_dropped_and_no_others() -> None:
    async with cache() as it:
        for caller in (ME, OTHER):
            for number in range(3):
                key = it.key_of(parts(caller, stdin=b"%d" % number))
                await it.once(key, caller, Work())
        assert await it.drop_caller(ME) == 3
        assert await it.drop_caller(ME) == 0
        assert it.counts.entries == 3
        assert hit(await it.once(key, OTHER, Work())).level == "memory"


@on_loop
async def test_a_run_that_began_before_a_drop_is_not_kept() -> None:
    work = Work(gate=asyncio.Event())
    async with cache() as it:
        running = asked(it, work)
        await settle()
        await it.drop(it.key_of(parts()))
        assert work.gate is not None
        work.gate.set()
        assert hit(await running).level == "none"
        assert (it.counts.entries, it.counts.stored) == (0, 0)


@on_loop
async def test_who_asks_after_a_drop_does_not_join_a_run_that_began_before() -> None:
    before, after = Work(gate=asyncio.Event()), Work()
    async with cache() as it:
        running = asked(it, before)
        await settle()
        await it.drop(it.key_of(parts()))
        assert hit(await asked(it, after)).level == "none"
        assert before.gate is not None
        before.gate.set()
        await running
        assert hit(await asked(it, before)).level == "memory"
        assert (before.done, after.done, it.counts.stored) == (1, 1, 1)


@on_loop
async def test_shared_answers_are_nobodys_to_drop() -> None:
    async with cache(shared=True) as it:
        await asked(it, Work())
        assert await it.drop_caller(ME) == 0
        assert it.counts.entries == 1
        assert await it.drop(it.key_of(parts()))


def test_a_url_that_is_none_is_said_by_its_setting() -> None:
    with pytest.raises(SettingsError, match=r"results\.redis"):
        ResultCache(Results(redis="nonsense", secret="x" * 32))
