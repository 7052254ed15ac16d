"""Which pool is started when, and who waits for it."""

import asyncio
from contextvars import ContextVar
from typing import cast

import pytest

from soulbox_core.errors import ContainerError
from soulbox_core.sandbox.pool import Pool
from soulbox_core.sandbox.startup import Startup
from tests.loop import on_loop

REQUEST = ContextVar("REQUEST", default="nobody")


class Starting:
    """Stands for a pool whose start takes until it is told how that went."""

    def __init__(self) -> None:
        self.starts = 0
        self.for_whom = ""
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.usable = asyncio.Event()

    async def start(self) -> None:
        self.starts += 1
        self.for_whom = REQUEST.get()
        try:
            await asyncio.shield(self.outcome)
        finally:
            self.usable.set()

    def succeed(self) -> None:
        self.outcome.set_result(None)

    def fail(self) -> None:
        self.outcome.set_exception(ContainerError("broken"))


class World:
    def __init__(self, *names: str) -> None:
        self.pools = {name: Starting() for name in names}
        self.startup = Startup(cast(dict[str, Pool], self.pools))

    def begun(self) -> list[str]:
        return [name for name, pool in self.pools.items() if pool.starts]


async def moments() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@on_loop
async def test_two_start_at_a_time_in_their_order() -> None:
    world = World("a", "b", "c")
    world.startup.begin()
    await moments()
    assert world.begun() == ["a", "b"]
    world.pools["b"].succeed()
    await moments()
    assert world.begun() == ["a", "b", "c"]


@on_loop
async def test_one_that_is_waited_for_starts_at_once_and_only_once() -> None:
    world = World("a", "b", "c", "d")
    world.startup.begin()
    await moments()
    waiting = [asyncio.create_task(world.startup.reached("d")) for _ in range(2)]
    await moments()
    assert world.begun() == ["a", "b", "d"]
    assert not any(task.done() for task in waiting)
    world.pools["d"].succeed()
    await asyncio.gather(*waiting)
    for name in "abc":
        world.pools[name].succeed()
    await world.startup.done()
    assert {pool.starts for pool in world.pools.values()} == {1}


@on_loop
async def test_who_waits_for_one_that_can_make_cells_need_not_wait_for_all_of_its_start() -> None:
    world = World("a")
    world.startup.begin()
    waiting = asyncio.create_task(world.startup.reached("a"))
    await moments()
    world.pools["a"].usable.set()
    await waiting
    assert not world.pools["a"].outcome.done()
    world.pools["a"].succeed()
    await world.startup.done()


@on_loop
async def test_what_is_started_for_a_request_is_not_that_requests() -> None:
    world = World("a")
    REQUEST.set("somebody")
    waiting = asyncio.create_task(world.startup.reached("a"))
    await moments()
    assert world.pools["a"].for_whom == "nobody"
    world.pools["a"].succeed()
    await waiting


@on_loop
async def test_who_waits_while_it_is_closed_is_let_go() -> None:
    world = World("a")
    waiting = asyncio.create_task(world.startup.reached("a"))
    await moments()
    await world.startup.close()
    await waiting


@on_loop
async def test_who_gives_up_waiting_does_not_stop_the_start() -> None:
    world = World("a")
    world.startup.begin()
    waiting = asyncio.create_task(world.startup.reached("a"))
    await moments()
    waiting.cancel()
    await moments()
    world.pools["a"].succeed()
    await world.startup.done()
    await world.startup.reached("a")


@on_loop
async def test_one_that_fails_is_no_matter_as_long_as_another_starts() -> None:
    world = World("a", "b")
    world.startup.begin()
    await moments()
    world.pools["a"].fail()
    world.pools["b"].succeed()
    await world.startup.done()
    await world.startup.reached("a")  # its pool says itself what is wrong


@on_loop
async def test_none_that_starts_is_an_error() -> None:
    world = World("a", "b")
    world.startup.begin()
    await moments()
    for pool in world.pools.values():
        pool.fail()
    with pytest.raises(ContainerError, match="broken"):
        await world.startup.done()


@on_loop
async def test_closed_it_starts_no_more() -> None:
    world = World("a", "b", "c")
    world.startup.begin()
    await moments()
    await world.startup.close()
    await moments()
    assert world.begun() == ["a", "b"]
    await world.startup.close()
