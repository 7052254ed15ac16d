import asyncio
from collections.abc import Callable
from contextvars import Context
from random import Random
from typing import Any, TypeVarTuple

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from soulbox_core.errors import LimitAboveCeiling, Overloaded
from soulbox_core.service.admission import Admission
from tests.loop import on_loop, settle

Ts = TypeVarTuple("Ts")


def admission(memory_bytes: int = 10, queue: int = 8, queue_seconds: float = 60.0) -> Admission:
    return Admission(memory_bytes=memory_bytes, queue=queue, queue_seconds=queue_seconds)


def at_once(awaitable: Any) -> None:
    """Drive a coroutine that must not suspend."""
    with pytest.raises(StopIteration):
        awaitable.send(None)


@on_loop
async def test_with_room_it_does_not_suspend() -> None:
    room = admission()
    at_once(room.acquire(6))
    at_once(room.acquire(4))
    assert (room.running, room.waiting, room.reserved_bytes) == (2, 0, 10)


@on_loop
async def test_without_room_it_waits_for_a_release() -> None:
    room = admission()
    await room.acquire(10)
    second = asyncio.create_task(room.acquire(1))
    await settle()
    assert not second.done()
    room.release(10)
    await second
    assert (room.running, room.reserved_bytes) == (1, 1)


@on_loop
async def test_a_big_request_is_not_overtaken_by_small_ones() -> None:
    room = admission()
    await room.acquire(6)
    big = asyncio.create_task(room.acquire(8))
    await settle()
    small = asyncio.create_task(room.acquire(1))  # would fit beside the first
    await settle()
    assert (big.done(), small.done()) == (False, False)
    room.release(6)
    await settle()
    assert (big.done(), small.done()) == (True, True)


@on_loop
async def test_those_behind_a_big_request_that_gives_up_are_let_in() -> None:
    room = admission()
    await room.acquire(6)
    big = asyncio.create_task(room.acquire(8))
    await settle()
    small = asyncio.create_task(room.acquire(4))
    await settle()
    big.cancel()
    await settle()
    assert small.done()
    assert room.reserved_bytes == 10


@on_loop
async def test_what_could_never_fit_is_refused_at_once() -> None:
    with pytest.raises(LimitAboveCeiling, match="above the ceiling of 10"):
        await admission().acquire(11)


@on_loop
async def test_a_full_queue_refuses() -> None:
    room = admission(queue=1)
    await room.acquire(10)
    waiting = asyncio.create_task(room.acquire(1))
    await settle()
    with pytest.raises(Overloaded, match="1 runs are waiting"):
        await room.acquire(1)
    room.release(10)
    await waiting


@on_loop
async def test_a_queue_of_none_refuses_what_does_not_fit() -> None:
    room = admission(queue=0)
    await room.acquire(10)
    with pytest.raises(Overloaded):
        await room.acquire(1)


@on_loop
async def test_a_wait_has_an_end() -> None:
    room = admission(queue_seconds=0.01)
    await room.acquire(10)
    with pytest.raises(Overloaded, match=r"no room within 0\.01 seconds"):
        await room.acquire(1)
    assert room.waiting == 0
    assert room.reserved_bytes == 10


def test_whoever_is_let_in_leaves_no_timer_behind() -> None:
    timers: list[asyncio.TimerHandle] = []

    class Loop(asyncio.SelectorEventLoop):
        def call_later(
            self,
            delay: float,
            callback: Callable[[*Ts], object],
            *args: *Ts,
            context: Context | None = None,
        ) -> asyncio.TimerHandle:
            timers.append(super().call_later(delay, callback, *args, context=context))
            return timers[-1]

    async def scenario() -> None:
        room = admission()
        await room.acquire(10)
        second = asyncio.create_task(room.acquire(1))
        await settle()
        room.release(10)
        await second

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(scenario())
    assert [timer.cancelled() for timer in timers] == [True]


@on_loop
async def test_cancelled_in_the_very_turn_it_was_let_in_it_holds_nothing() -> None:
    room = admission()
    await room.acquire(10)
    waiting = asyncio.create_task(room.acquire(3))
    await settle()
    room.release(10)  # the turn is given, the task has not run yet
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (room.running, room.waiting, room.reserved_bytes) == (0, 0, 0)


@on_loop
async def test_closed_it_refuses_newcomers_and_serves_those_who_wait() -> None:
    room = admission()
    await room.acquire(10)
    waiting = asyncio.create_task(room.acquire(2))
    await settle()
    room.close()
    with pytest.raises(Overloaded, match="shutting down"):
        await room.acquire(1)
    assert not await room.wait_idle(0.01)
    room.release(10)
    await waiting
    idle = asyncio.create_task(room.wait_idle(60))
    await settle()
    assert not idle.done()
    room.release(2)
    assert await idle


@on_loop
async def test_idle_from_the_start() -> None:
    assert await admission().wait_idle(60)


LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [
    asyncio.new_event_loop,
    uvloop.new_event_loop,
]


@pytest.mark.parametrize("loop_factory", LOOPS)
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), total=st.integers(1, 12), queue=st.integers(0, 6))
def test_no_schedule_of_arrivals_departures_and_cancellations_leaks_or_overbooks(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], seed: int, total: int, queue: int
) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_random_schedule(Random(seed), total, queue))


async def _random_schedule(random: Random, total: int, queue: int) -> None:
    # Deadlines of 0 to 2 ms, so that expiry too meets the other two at every moment.
    room = admission(total, queue, queue_seconds=random.choice([0.0, 0.001, 0.002, 60.0]))
    inside = 0
    served: list[int] = []

    async def visit(number: int, memory_bytes: int) -> None:
        nonlocal inside
        waits = room.waiting > 0 or room.reserved_bytes + memory_bytes > total
        await room.acquire(memory_bytes)
        inside += memory_bytes
        assert inside <= room.reserved_bytes <= total
        if waits:
            served.append(number)
        try:
            await asyncio.sleep(random.choice([0, 0, 0.001]))
        finally:
            inside -= memory_bytes
            room.release(memory_bytes)

    visits: list[asyncio.Task[None]] = []
    for number in range(30):
        visits.append(asyncio.create_task(visit(number, random.randint(1, total + 1))))
        if random.random() < 0.4:
            random.choice(visits).cancel()
        if random.random() < 0.5:
            await asyncio.sleep(random.choice([0, 0, 0.001]))
        assert room.waiting <= queue
    results = await asyncio.gather(*visits, return_exceptions=True)
    allowed = (asyncio.CancelledError, Overloaded, LimitAboveCeiling)
    assert [each for each in results if each is not None and not isinstance(each, allowed)] == []
    assert served == sorted(served), "first come, first served"
    assert (room.running, room.waiting, room.reserved_bytes) == (0, 0, 0)
    assert await room.wait_idle(0)
