import asyncio
from typing import Any

import msgspec
import pytest

from soulbox_core.errors import IdempotencyMismatch, InvalidRequest, Overloaded, SandboxError
from soulbox_core.model import Limits, Outcome
from soulbox_core.service.idempotency import Idempotency
from tests import samples
from tests.loop import on_loop, settle
from tests.samples import request

KIB = 1024
LIMITS = Limits(output_bytes=KIB, output_file_bytes=KIB)
NAME = ("key:1", "once")


def outcome(**changes: Any) -> Outcome:
    return samples.outcome(**({"id": "1", "stdout": b"hi"} | changes))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class House:
    """Counts how often the work was done."""

    def __init__(self, most_bytes: int = 64 * KIB) -> None:
        self.clock = Clock()
        self.idempotency = Idempotency(100.0, most_bytes, self.clock)
        self.done = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def work(self) -> Outcome:
        self.done += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return outcome(stdout=b"%d" % self.done)

    async def once(self, name: tuple[str, str] = NAME, **changes: Any) -> Outcome:
        return await self.idempotency.once(name, request(**changes), LIMITS, self.work)


@on_loop
async def test_a_repeated_request_has_the_first_answer() -> None:
    house = House()
    first, second = await house.once(), await house.once()
    assert (first.replayed, second.replayed) == (False, True)
    assert msgspec.structs.replace(second, replayed=False) == first
    assert house.done == 1


@on_loop
async def test_two_at_once_are_one_run() -> None:
    house = House()
    answers = await asyncio.gather(*(house.once() for _ in range(5)))
    assert house.done == 1
    assert [answer.replayed for answer in answers] == [False] + [True] * 4


@on_loop
@pytest.mark.parametrize("waiting", [True, False])
async def test_the_key_is_of_one_request(waiting: bool) -> None:
    house = House()
    if waiting:
        house.gate.clear()
    first = asyncio.create_task(house.once())
    await settle()
    for changes in ({"args": ("other",)}, {"stdin": b"x"}, {"limits": {"cpus": 1.0}}):
        with pytest.raises(IdempotencyMismatch):
            await house.once(**changes)
    house.gate.set()
    assert (await first).stdout == b"1"
    assert house.done == 1


@on_loop
async def test_callers_do_not_share_keys() -> None:
    house = House()
    await house.once()
    assert not (await house.once(("key:2", "once"))).replayed
    assert not (await house.once(("key:1", "twice"))).replayed
    assert house.done == 3


@on_loop
async def test_a_run_goes_on_when_its_client_hangs_up() -> None:
    house = House()
    house.gate.clear()
    gone = asyncio.create_task(house.once())
    await settle()
    gone.cancel()
    await asyncio.wait((gone,))
    back = asyncio.create_task(house.once())
    await settle()
    house.gate.set()
    answer = await back
    assert (answer.replayed, answer.stdout, house.done) == (True, b"1", 1)


@on_loop
async def test_what_fails_is_forgotten() -> None:
    house = House()
    house.error = SandboxError("broken")
    tries = await asyncio.gather(*(house.once() for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, SandboxError) for one in tries)
    assert (house.done, house.idempotency.held_bytes) == (1, 0)
    house.error = None
    assert not (await house.once()).replayed


@on_loop
async def test_a_failure_that_nobody_waits_for_is_nobodys() -> None:
    house = House()
    house.gate.clear()
    house.error = SandboxError("broken")
    gone = asyncio.create_task(house.once())
    await settle()
    gone.cancel()
    house.gate.set()
    await settle()
    assert house.idempotency.held_bytes == 0


@on_loop
async def test_an_answer_is_kept_for_so_long() -> None:
    house = House()
    await house.once()
    house.clock.now = 99.0
    assert (await house.once()).replayed
    house.clock.now = 100.0
    assert not (await house.once()).replayed


@on_loop
async def test_the_oldest_answers_go_when_there_is_no_room() -> None:
    house = House(most_bytes=12 * KIB)
    for number in range(5):
        await house.once(("key:1", str(number)))
        assert house.idempotency.held_bytes <= 12 * KIB
    assert (await house.once(("key:1", "4"))).replayed
    assert not (await house.once(("key:1", "0"))).replayed


@on_loop
async def test_nobody_loses_an_answer_to_somebody_who_has_more() -> None:
    house = House(most_bytes=20 * KIB)
    await house.once(("key:1", "mine"))
    for number in range(20):
        await house.once(("key:2", str(number)))
    assert (await house.once(("key:1", "mine"))).replayed


@on_loop
async def test_what_is_refused_makes_nobody_lose_anything() -> None:
    house = House(most_bytes=12 * KIB)
    await house.once()
    with pytest.raises(InvalidRequest, match="ask for a smaller output_bytes"):
        await house.once(("key:2", "huge"), stdin=b"x" * 13 * KIB)
    house.gate.clear()
    tasks = [asyncio.create_task(house.once(("key:2", str(number)))) for number in range(2)]
    await settle()
    with pytest.raises(Overloaded):
        await house.once(("key:2", "third"), stdin=b"x" * 4 * KIB)
    house.gate.set()
    await asyncio.gather(*tasks)


@on_loop
async def test_the_order_of_variables_makes_no_other_request() -> None:
    house = House()
    await house.once(env={"A": "1", "B": "2"})
    assert (await house.once(env={"B": "2", "A": "1"})).replayed


@on_loop
async def test_many_small_entries_count() -> None:
    house = House(most_bytes=1 << 20)

    async def work() -> Outcome:
        return outcome(outputs_skipped=tuple(f"f{number}" for number in range(1000)))

    await house.idempotency.once(NAME, request(), LIMITS, work)
    assert house.idempotency.held_bytes > 200 * KIB


@on_loop
async def test_runs_under_way_have_their_room_set_aside() -> None:
    house = House(most_bytes=12 * KIB)
    house.gate.clear()
    tasks = [asyncio.create_task(house.once(("key:1", str(number)))) for number in range(2)]
    await settle()
    with pytest.raises(Overloaded, match="leave no room"):
        await house.once(("key:1", "third"))
    house.gate.set()
    await asyncio.gather(*tasks)
    assert not (await house.once(("key:1", "third"))).replayed
