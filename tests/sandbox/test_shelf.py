"""A shelf's promises, with cells that are made of nothing."""

import asyncio
from typing import cast

import pytest

from soulbox_core.errors import ContainerError
from soulbox_core.sandbox.cell import ContainerCell
from soulbox_core.sandbox.port import Kind
from soulbox_core.sandbox.shelf import Shelf
from tests.loop import on_loop


class Blank:
    """A cell that only knows whether it was thrown away."""

    def __init__(self) -> None:
        self.discarded = False

    def discard(self) -> None:
        self.discarded = True


def cell() -> ContainerCell:
    return cast(ContainerCell, Blank())


def shelf(target: int = 2) -> Shelf:
    return Shelf(Kind(cold=False, scratch_bytes=1), target)


def test_kinds_with_the_same_values_are_one_kind() -> None:
    assert {Kind(cold=True, scratch_bytes=1): 1}[Kind(cold=True, scratch_bytes=1)] == 1
    assert Kind(cold=True, scratch_bytes=1) != Kind(cold=True, scratch_bytes=1, egress=True)


@on_loop
async def test_cells_are_taken_in_the_order_in_which_they_were_put() -> None:
    cells, kept = [cell() for _ in range(3)], shelf()
    for each in cells:
        kept.put(each)
    assert len(kept) == 3
    assert [kept.take() for _ in range(4)] == [*cells, None]


@on_loop
async def test_who_waits_longest_gets_the_next_cell() -> None:
    kept, (one, two, three) = shelf(), (cell() for _ in range(3))
    first, second = kept.line_up(), kept.line_up()
    assert kept.hurried
    for each in (one, two, three):
        kept.put(each)
    assert (await first, await second) == (one, two)
    assert not kept.hurried
    assert (kept.take(), kept.take()) == (three, None)


@on_loop
async def test_who_has_left_gets_none() -> None:
    kept, only = shelf(), cell()
    gone, here = kept.line_up(), kept.line_up()
    gone.cancel()
    kept.put(only)
    assert await here is only
    last = kept.line_up()
    last.cancel()
    assert not kept.hurried
    kept.put(only)
    assert kept.take() is only


@pytest.mark.parametrize(
    ("parked", "making", "waiting", "gone", "wanted"),
    [
        (0, 0, 0, 0, 2),
        (2, 0, 0, 0, 0),
        (1, 1, 0, 0, 0),
        (0, 2, 3, 0, 3),
        (0, 0, 1, 4, 3),
        (3, 0, 0, 0, -1),
    ],
)
@on_loop
async def test_what_is_wanted_is_the_target_and_who_waits_less_what_is_there_or_coming(
    parked: int, making: int, waiting: int, gone: int, wanted: int
) -> None:
    kept = shelf()
    for _ in range(parked):
        kept.put(cell())
    kept.making = making
    for number in range(waiting + gone):
        waits = kept.line_up()
        if number < gone:
            waits.cancel()
    assert kept.wanted == wanted


@on_loop
async def test_a_cell_that_died_is_forgotten_once() -> None:
    kept, one, two = shelf(), cell(), cell()
    kept.put(one)
    kept.put(two)
    assert kept.remove(one)
    assert not kept.remove(one)
    assert (kept.take(), kept.take()) == (two, None)


@on_loop
async def test_clearing_throws_every_parked_cell_away_and_leaves_who_waits() -> None:
    kept, cells = shelf(), [cell(), cell()]
    for each in cells:
        kept.put(each)
    kept.clear()
    assert len(kept) == 0
    assert all(cast(Blank, each).discarded for each in cells)
    waits = kept.line_up()
    kept.clear()
    assert not waits.done()


@on_loop
async def test_all_who_wait_are_told_that_there_will_be_none() -> None:
    kept = shelf()
    waits = [kept.line_up() for _ in range(3)]
    waits[1].cancel()
    kept.refuse(ContainerError("broken"))
    for each in (waits[0], waits[2]):
        with pytest.raises(ContainerError, match="broken"):
            await each
    with pytest.raises(asyncio.CancelledError):
        await waits[1]
    assert not kept.hurried
