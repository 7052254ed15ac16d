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
from soulbox_core.service.room import Room
from tests.loop import on_loop, settle

Ts = TypeVarTuple("Ts")


def room(number: int) -> Room:
    return Room(memory_bytes=number << 20, processes=number)


def admission(number: int = 10, queue: int = 8, queue_seconds: float = 60.0) -> Admission:
    return Admission(room=room(number), queue=queue, queue_seconds=queue_seconds)


def at_once(awaitable: Any) -> None:
    """Drive a coroutine that must not suspend."""
    with pytest.raises(StopIteration):
        awaitable.send(None)


@on_loop
async def test_with_room_it_does_not_suspend() -> None:
    door = admission()
    at_once(door.acquire(room(6)))
    at_once(door.acquire(room(4)))
    assert (door.running, door.waiting, door.reserved) == (2, 0, room(10))


@on_loop
async def test_without_room_it_waits_for_a_release() -> None:
    door = admission()
    await door.acquire(room(10))
    second = asyncio.create_task(door.acquire(room(1)))
    await settle()
    assert not second.done()
    door.release(room(10))
    await second
    assert (door.running, door.reserved) == (1, room(1))


@on_loop
async def test_a_big_request_is_not_overtaken_by_small_ones() -> None:
    door = admission()
    await door.acquire(room(6))
    big = asyncio.create_task(door.acquire(room(8)))
    await settle()
    small = asyncio.create_task(door.acquire(room(1)))  # would fit beside the first
    await settle()
    assert (big.done(), small.done()) == (False, False)
    door.release(room(6))
    await settle()
    assert (big.done(), small.done()) == (True, True)


@on_loop
async def test_those_behind_a_big_request_that_gives_up_are_let_in() -> None:
    door = admission()
    await door.acquire(room(6))
    big = asyncio.create_task(door.acquire(room(8)))
    await settle()
    small = asyncio.create_task(door.acquire(room(4)))
    await settle()
    big.cancel()
    await settle()
    assert small.done()
    assert door.reserved == room(10)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Room(memory_bytes=11 << 20, processes=1), "memory_bytes = .* is above the ceiling of"),
        (Room(memory_bytes=1, processes=11), "processes = 11 is above the ceiling of 10"),
    ],
)
@on_loop
async def test_what_could_never_fit_is_refused_at_once(wanted: Room, said: str) -> None:
    with pytest.raises(LimitAboveCeiling, match=said):
        await admission().acquire(wanted)


@pytest.mark.parametrize(
    "wanted", [Room(memory_bytes=5 << 20, processes=1), Room(memory_bytes=1, processes=5)]
)
@on_loop
async def test_who_needs_more_than_is_left_of_either_waits(wanted: Room) -> None:
    door = admission()
    await door.acquire(room(6))
    second = asyncio.create_task(door.acquire(wanted))
    await settle()
    assert not second.done()
    door.shrink(room(1))
    await second
    assert door.reserved == room(5) + wanted


@on_loop
async def test_a_full_queue_refuses() -> None:
    door = admission(queue=1)
    await door.acquire(room(10))
    waiting = asyncio.create_task(door.acquire(room(1)))
    await settle()
    with pytest.raises(Overloaded, match="1 runs are waiting"):
        await door.acquire(room(1))
    door.release(room(10))
    await waiting


@on_loop
async def test_a_queue_of_none_refuses_what_does_not_fit() -> None:
    door = admission(queue=0)
    await door.acquire(room(10))
    with pytest.raises(Overloaded):
        await door.acquire(room(1))


@on_loop
async def test_a_wait_has_an_end() -> None:
    door = admission(queue_seconds=0.01)
    await door.acquire(room(10))
    with pytest.raises(Overloaded, match=r"no room within 0\.01 seconds"):
        await door.acquire(room(1))
    assert door.waiting == 0
    assert door.reserved == room(10)


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
        door = admission()
        await door.acquire(room(10))
        second = asyncio.create_task(door.acquire(room(1)))
        await settle()
        door.release(room(10))
        await second

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(scenario())
    assert [timer.cancelled() for timer in timers] == [True]


@on_loop
async def test_cancelled_in_the_very_turn_it_was_let_in_it_holds_nothing() -> None:
    door = admission()
    await door.acquire(room(10))
    waiting = asyncio.create_task(door.acquire(room(3)))
    await settle()
    door.release(room(10))  # the turn is given, the task has not run yet
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (door.running, door.waiting, door.reserved) == (0, 0, room(0))


@on_loop
async def test_closed_it_refuses_newcomers_and_serves_those_who_wait() -> None:
    door = admission()
    await door.acquire(room(10))
    waiting = asyncio.create_task(door.acquire(room(2)))
    await settle()
    door.close()
    with pytest.raises(Overloaded, match="shutting down"):
        await door.acquire(room(1))
    assert not await door.wait_idle(0.01)
    door.release(room(10))
    await waiting
    idle = asyncio.create_task(door.wait_idle(60))
    await settle()
    assert not idle.done()
    door.release(room(2))
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
    door = admission(total, queue, queue_seconds=random.choice([0.0, 0.001, 0.002, 60.0]))
    inside = room(0)
    served: list[int] = []

    async def visit(number: int, wanted: Room) -> None:
        nonlocal inside
        waits = door.waiting > 0 or not (door.reserved + wanted).fits(room(total))
        await door.acquire(wanted)
        inside += wanted
        assert inside.fits(door.reserved)
        assert door.reserved.fits(room(total))
        if waits:
            served.append(number)
        try:
            await asyncio.sleep(random.choice([0, 0, 0.001]))
        finally:
            inside -= wanted
            door.release(wanted)

    def some() -> Room:
        """Of two, so that either may be what is short."""
        memory, processes = random.randint(1, total + 1), random.randint(1, total + 1)
        return Room(memory_bytes=memory << 20, processes=processes)

    visits: list[asyncio.Task[None]] = []
    for number in range(30):
        visits.append(asyncio.create_task(visit(number, some())))
        if random.random() < 0.4:
            random.choice(visits).cancel()
        if random.random() < 0.5:
            await asyncio.sleep(random.choice([0, 0, 0.001]))
        assert door.waiting <= queue
    results = await asyncio.gather(*visits, return_exceptions=True)
    allowed = (asyncio.CancelledError, Overloaded, LimitAboveCeiling)
    assert [each for each in results if each is not None and not isinstance(each, allowed)] == []
    assert served == sorted(served), "first come, first served"
    assert (door.running, door.waiting, door.reserved) == (0, 0, room(0))
    assert await door.wait_idle(0)
