import asyncio

import pytest

from soulbox_core.errors import SandboxError
from soulbox_core.single_flight import SingleFlight
from tests.loop import on_loop, settle


class Work:
    """Counts how often it was begun, and goes on when it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = 0
        self.cancelled = 0
        self.go = asyncio.Event()
        self._error = error

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self._error is not None:
            raise self._error
        return number


Flights = SingleFlight[str, int]


def fly(flights: Flights, work: Work, key: str = "key") -> "asyncio.Task[tuple[int, bool]]":
    return asyncio.create_task(flights.fly(key, work))


@on_loop
async def test_callers_with_one_key_share_one_flight() -> None:
    flights, work = Flights(), Work()
    callers = [fly(flights, work) for _ in range(5)]
    await settle()
    assert flights.under_way("key")
    work.go.set()
    assert await asyncio.gather(*callers) == [(1, False), *[(1, True)] * 4]
    assert work.begun == 1


@on_loop
async def test_callers_with_different_keys_do_not_wait_for_each_other() -> None:
    flights, slow, quick = Flights(), Work(), Work()
    quick.go.set()
    waiting = fly(flights, slow, "slow")
    assert await flights.fly("quick", quick) == (1, False)
    slow.go.set()
    await waiting


@on_loop
async def test_nothing_is_remembered_after_landing() -> None:
    flights, work = Flights(), Work()
    work.go.set()
    assert await flights.fly("key", work) == (1, False)
    assert not flights.under_way("key")
    assert await flights.fly("key", work) == (2, False)


@on_loop
async def test_an_exception_goes_to_all_who_wait_and_is_forgotten() -> None:
    flights, work = Flights(), Work(SandboxError("no"))
    callers = [fly(flights, work) for _ in range(3)]
    await settle()
    work.go.set()
    for caller in callers:
        with pytest.raises(SandboxError, match="no"):
            await caller
    done = Work()
    done.go.set()
    assert await flights.fly("key", done) == (1, False)


@on_loop
async def test_one_who_leaves_does_not_stop_the_others() -> None:
    flights, work = Flights(), Work()
    first, second, third = (fly(flights, work) for _ in range(3))
    await settle()
    first.cancel()  # it was the one who began
    third.cancel()
    await settle()
    work.go.set()
    assert await second == (1, True)
    assert first.cancelled()
    assert third.cancelled()
    assert (work.begun, work.cancelled) == (1, 0)


@on_loop
async def test_the_last_who_leaves_stops_the_work() -> None:
    flights, work = Flights(), Work()
    callers = [fly(flights, work) for _ in range(3)]
    await settle()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await settle()
    assert (work.begun, work.cancelled) == (1, 1)


@on_loop
async def test_who_comes_after_the_last_has_left_begins_anew() -> None:
    flights, work = Flights(), Work()
    leaving = fly(flights, work)
    await settle()
    leaving.cancel()
    await asyncio.sleep(0)  # it has left, and the work does not know yet
    work.go.set()
    assert await flights.fly("key", work) == (2, False)
    assert leaving.cancelled()


@on_loop
async def test_work_that_is_cancelled_from_elsewhere_cancels_no_caller() -> None:
    flights = Flights()

    async def work() -> int:
        raise asyncio.CancelledError

    with pytest.raises(SandboxError):
        await flights.fly("key", work)


@on_loop
async def test_an_exception_that_nobody_waited_for_is_not_reported() -> None:
    flights, work = Flights(), Work(SandboxError("no"))
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    caller = fly(flights, work)
    await settle()
    work.go.set()
    await asyncio.sleep(0)  # the work has failed, and the caller does not know yet
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await settle()
    assert complaints == []


@on_loop
async def test_closing_stops_all_work() -> None:
    flights, work = Flights(), Work()
    caller = fly(flights, work)
    await settle()
    await flights.close()
    assert work.cancelled == 1
    with pytest.raises(SandboxError):
        await caller
