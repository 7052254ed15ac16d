"""The pool's promises, on containers that are made of nothing."""

import asyncio
from typing import Any, cast

import pytest

from soulbox_core.errors import ContainerError
from soulbox_core.sandbox.container import Container
from soulbox_core.sandbox.pool import OnLost, Pool
from soulbox_core.sandbox.port import Kind
from tests.loop import on_loop

SCRATCH = 1 << 20


class Cell:
    """A cell that only knows whether it was thrown away."""

    def __init__(self, container: "Box", cold: bool, scratch_bytes: int) -> None:
        self.container, self.cold, self.scratch_bytes = container, cold, scratch_bytes
        self.discarded = False
        self.on_unused_death: Any = None

    def discard(self) -> None:
        self.discarded = True


class Box:
    """Stands for a container; `hold` stops it from making cells, `fault` makes it fail; `warming`
    is what its template is waited for with."""

    def __init__(self, number: int, on_lost: OnLost) -> None:
        self.name, self.on_lost = f"box{number}", on_lost
        self.made, self.destroyed = 0, False
        self.hold = asyncio.Event()
        self.hold.set()
        self.fault: ContainerError | None = None
        self.empty = asyncio.Event()
        self.empty.set()
        self.warm = False
        self.warming = asyncio.Event()
        self.warming.set()
        self.warming_fault: ContainerError | None = None

    async def warm_up(self) -> None:
        await self.warming.wait()
        if self.warming_fault:
            raise self.warming_fault
        self.warm = True

    async def make_cell(self, kind: Kind, *, rehearse: bool) -> Cell:
        self.made += 1
        await asyncio.sleep(0)
        await self.hold.wait()
        if self.fault:
            raise self.fault
        return Cell(self, kind.cold, kind.scratch_bytes)

    async def healthy(self) -> bool:
        return True

    async def idle(self) -> None:
        await self.empty.wait()

    async def destroy(self) -> None:
        self.destroyed = True

    def break_down(self) -> None:
        self.on_lost(cast(Container, self), "pulled the plug")


class House:
    """A pool and the boxes that it was given."""

    def __init__(
        self, target: int = 2, container_cells: int = 1000, *, boots: bool = False
    ) -> None:
        self.boxes: list[Box] = []
        self.faults: list[ContainerError] = []
        self.box_fault: ContainerError | None = None
        self.cold_start = False
        self.pool = Pool(
            "lua",
            self._new,
            targets={Kind(cold=False, scratch_bytes=SCRATCH): target},
            boots=boots,
            container_cells=container_cells,
        )

    async def _new(self, on_lost: OnLost) -> Container:
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.pop()
        self.boxes.append(Box(len(self.boxes), on_lost))
        self.boxes[-1].fault = self.box_fault
        if self.cold_start:
            self.boxes[-1].warming.clear()
        return cast(Container, self.boxes[-1])

    @property
    def parked(self) -> list[Cell]:
        (shelf,) = cast(Any, self.pool)._shelves
        return list(shelf._parked)

    async def claim(self, **changes: Any) -> Cell:
        asked = {"cold": False, "scratch_bytes": SCRATCH} | changes
        return cast(Cell, await self.pool.claim(Kind(**asked)))


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@on_loop
async def test_start_parks_the_target_and_a_claim_is_replaced() -> None:
    house = House(target=3)
    await house.pool.start()
    assert (house.boxes[0].made, house.pool.ready) == (3, True)
    await house.claim()
    while house.boxes[0].made < 4:  # noqa: ASYNC110, not at once: the claimed cell's run goes first
        await asyncio.sleep(0.001)
    await house.pool.close()


@on_loop
async def test_until_its_template_is_there_a_container_gives_cold_cells() -> None:
    house = House(target=1)
    house.cold_start = True
    starting = asyncio.create_task(house.pool.start())
    await house.pool.usable.wait()
    assert (await house.claim()).cold
    assert not house.pool.ready
    house.boxes[0].warming.set()
    await starting
    assert house.pool.ready
    assert not (await house.claim()).cold
    await house.pool.close()


@on_loop
async def test_a_container_whose_template_fails_is_replaced_by_a_warm_one() -> None:
    house = House(target=1)
    house.cold_start = True
    starting = asyncio.create_task(house.pool.start())
    await house.pool.usable.wait()
    house.cold_start = False
    house.boxes[0].warming_fault = ContainerError("the template failed")
    house.boxes[0].warming.set()
    with pytest.raises(ContainerError, match="the template failed"):
        await starting
    cell = await house.claim()
    assert (cell.container, cell.cold) == (house.boxes[1], False)
    assert house.boxes[0].destroyed
    await house.pool.close()


@on_loop
async def test_the_last_parked_cell_is_replaced_at_once() -> None:
    house = House(target=1)
    await house.pool.start()
    await house.claim()
    await turns()
    assert house.boxes[0].made == 2
    await house.pool.close()


@on_loop
async def test_a_claim_of_a_parked_cell_does_not_wait() -> None:
    house = House(target=1)
    await house.pool.start()
    house.boxes[0].hold.clear()
    claim = house.pool.claim(Kind(cold=False, scratch_bytes=SCRATCH))
    with pytest.raises(StopIteration):
        claim.send(None)
    await house.pool.close()


@on_loop
async def test_claims_beyond_the_parked_are_served_in_order() -> None:
    house = House(target=0)
    await house.pool.start()
    order: list[int] = []

    async def one(number: int) -> None:
        await house.claim()
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(20)))
    assert order == list(range(20))
    await house.pool.close()


@on_loop
async def test_another_scratch_size_or_a_cold_start_gets_a_cell_made_to_order() -> None:
    house = House()
    await house.pool.start()
    assert (await house.claim(scratch_bytes=5)).scratch_bytes == 5
    assert (await house.claim(cold=True)).cold
    await house.pool.close()


@on_loop
async def test_a_cancelled_claim_takes_no_cell_with_it() -> None:
    house = House(target=0)
    await house.pool.start()
    house.boxes[0].hold.clear()
    given_up = asyncio.create_task(house.claim())
    patient = asyncio.create_task(house.claim())
    await turns()
    given_up.cancel()
    house.boxes[0].hold.set()
    assert not (await patient).discarded
    await house.pool.close()


@on_loop
async def test_a_lost_container_is_replaced_and_its_parked_cells_thrown_away() -> None:
    house = House(target=2)
    await house.pool.start()
    parked = house.parked
    house.boxes[0].break_down()
    assert not house.pool.ready
    await turns()
    assert all(cell.discarded for cell in parked)
    assert house.boxes[0].destroyed
    assert house.pool.ready
    assert (await house.claim()).container is house.boxes[1]
    await house.pool.close()


@on_loop
async def test_waiting_claims_survive_the_loss_of_a_container() -> None:
    house = House(target=0)
    await house.pool.start()
    house.boxes[0].hold.clear()
    waiting = asyncio.create_task(house.claim())
    await turns()
    house.boxes[0].break_down()
    assert (await waiting).container is house.boxes[1]
    await house.pool.close()


@on_loop
async def test_a_container_that_cannot_make_cells_is_replaced() -> None:
    house = House(target=1)
    await house.pool.start()
    house.boxes[0].fault = ContainerError("broken")
    await house.claim()
    await turns()
    assert house.boxes[0].destroyed
    assert (await house.claim()).container is house.boxes[1]
    await house.pool.close()


@on_loop
async def test_while_no_container_starts_claims_are_answered_with_why() -> None:
    house = House(target=1)
    house.faults = [ContainerError("no image")]
    with pytest.raises(ContainerError, match="no image"):
        await house.pool.start()
    assert not house.pool.ready
    await turns()
    assert house.boxes[0].name == (await house.claim()).container.name
    await house.pool.close()


@on_loop
async def test_a_container_is_replaced_after_its_number_of_cells_and_finishes_its_work() -> None:
    house = House(target=1, container_cells=5)
    await house.pool.start()
    old = house.boxes[0]
    old.empty.clear()
    for _ in range(8):
        await house.claim()
        await turns()
    assert (await house.claim()).container is not old
    assert not old.destroyed
    old.empty.set()
    await turns()
    assert old.destroyed
    await house.pool.close()


@on_loop
async def test_claims_are_refused_when_a_new_container_did_not_help() -> None:
    house = House(target=0)
    await house.pool.start()
    house.boxes[0].fault = ContainerError("broken")
    house.box_fault = ContainerError("broken again")
    with pytest.raises(ContainerError, match="broken again"):
        await house.claim()
    assert len(house.boxes) == 2
    await house.pool.close()


@on_loop
async def test_a_parked_cell_that_dies_is_replaced() -> None:
    house = House(target=1)
    await house.pool.start()
    (parked,) = house.parked
    parked.on_unused_death(parked)
    await turns()
    assert (await house.claim()) is not parked
    await house.pool.close()


@on_loop
async def test_closing_throws_everything_away_and_refuses_who_waits() -> None:
    house = House(target=0)
    await house.pool.start()
    house.boxes[0].hold.clear()
    waiting = asyncio.create_task(house.claim())
    await turns()
    await house.pool.close()
    with pytest.raises(ContainerError, match="shutting down"):
        await waiting
    with pytest.raises(ContainerError, match="shutting down"):
        await house.claim()
    assert house.boxes[0].destroyed


@on_loop
async def test_a_run_starts_cold_rather_than_wait_for_a_runtime_to_boot() -> None:
    house = House(target=1, boots=True)
    await house.pool.start()
    assert not (await house.claim()).cold
    assert (await house.claim()).cold
    assert not house.parked  # nothing is booted while runs come one upon the other
    while not house.parked:  # noqa: ASYNC110, it is when there is calm
        await asyncio.sleep(0.01)
    assert not (await house.claim()).cold
    await house.pool.close()


@on_loop
async def test_while_no_runtime_boots_runs_are_told_and_not_started_cold() -> None:
    house = House(target=1, boots=True)
    house.box_fault = ContainerError("does not boot")
    with pytest.raises(ContainerError, match="does not boot"):
        await house.pool.start()
    with pytest.raises(ContainerError, match="does not boot"):
        await house.claim()
    await house.pool.close()
