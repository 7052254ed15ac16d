"""What a run uses, on its way from the sandbox to who asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from soulbox_core.errors import InvalidRequest
from soulbox_core.model import Event, Facts, Finished, Sample, Started, Step
from soulbox_core.sandbox.port import Sink
from tests.fakes import facts, hello
from tests.loop import on_loop, settle
from tests.samples import CALLER, request
from tests.service.test_runs import House


def used(memory_bytes: int) -> Sample:
    return Sample(wall_seconds=0.1, cpu_seconds=0.05, memory_bytes=memory_bytes, processes=1)


class Growing:
    """A program that uses more and more, in steps that a test takes."""

    def __init__(self) -> None:
        end = self.end = asyncio.Event()

        async def program(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
            await end.wait()
            return facts()

        self.house = House(program)

    def use(self, memory_bytes: int) -> None:
        watcher = self.house.sandbox.cells[0].watcher
        assert watcher is not None
        watcher(used(memory_bytes))


@on_loop
async def test_a_stream_tells_what_is_used_when_it_is_asked_to() -> None:
    growing = Growing()
    runs = growing.house.runs
    async with aclosing(runs.stream(request(usage_events=True), CALLER)) as events:
        assert isinstance(await anext(events), Started)
        for size in (1, 2, 3):
            growing.use(size)
            assert await anext(events) == used(size)
        growing.end.set()
        assert isinstance(await anext(events), Finished)
    growing.house.assert_empty()


@on_loop
async def test_a_reader_who_fetches_nothing_makes_no_samples_pile_up() -> None:
    growing = Growing()
    runs = growing.house.runs
    async with aclosing(runs.stream(request(usage_events=True), CALLER)) as events:
        assert isinstance(await anext(events), Started)
        for size in range(1000):
            growing.use(size)
        growing.end.set()
        await settle()
        rest: list[Event] = [event async for event in events]
    assert rest[0] == used(999)
    assert isinstance(rest[1], Finished)
    assert len(rest) == 2


@on_loop
async def test_nobody_looks_at_a_run_unasked() -> None:
    house = House(hello)
    assert [event async for event in house.runs.stream(request(), CALLER)]
    await house.runs.execute(request(), CALLER)
    assert [cell.watcher for cell in house.sandbox.cells] == [None, None]


@pytest.mark.parametrize("key", [None, "key"])
@on_loop
async def test_an_answer_that_is_no_stream_is_refused_and_nothing_runs(key: str | None) -> None:
    house = House(hello)
    with pytest.raises(InvalidRequest, match="accept a stream") as error:
        await house.runs.execute(request(usage_events=True), CALLER, idempotency_key=key)
    assert error.value.field == "usage_events"
    assert house.sandbox.claims == []
    house.assert_empty()
