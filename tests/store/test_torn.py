"""The engine that is part of the process, when its disk is full, or what it wrote was cut off."""

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from soulbox_core.errors import StoreFailed
from soulbox_core.settings import Database
from soulbox_core.store.opening import Stores, open_database
from soulbox_core.store.records import Execution
from tests.loop import on_loop
from tests.store.samples import CALLER, EVERYTHING, TODAY, execution


async def counts(stores: Stores) -> tuple[int, int]:
    """How many records there are, and how many runs count."""
    listed = await stores.executions.executions(EVERYTHING)
    days = await stores.executions.usage(CALLER, TODAY, TODAY)
    return len(listed), sum(day.runs for day in days)


def batch(number: int) -> tuple[str, list[Execution]]:
    return f"b{number}", [execution(number * 10 + each) for each in range(10)]


def log_of(directory: Path) -> Path:
    (log,) = (directory / "data" / "clog").iterdir()
    return log


@on_loop
async def test_a_batch_of_which_the_end_was_cut_off_is_made_whole_when_it_comes_again(
    tmp_path: Path,
) -> None:
    whole = tmp_path / "whole"
    async with open_database(Database(), whole) as stores:
        await stores.executions.add(*batch(0))
        before = log_of(whole).stat().st_size
        await stores.executions.add(*batch(1))
        after = log_of(whole).stat().st_size
    states = set()
    for part in range(1, 17):
        cut = tmp_path / f"cut-{part}"
        shutil.copytree(whole, cut)
        os.truncate(log_of(cut), before + (after - before) * part // 17)
        async with open_database(Database(), cut) as stores:
            states.add(await counts(stores))
            for _ in range(2):
                await stores.executions.add(*batch(1))
                assert await counts(stores) == (20, 20)
    assert len(states) > 3  # else nothing was cut that shows


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file grows beyond that (setrlimit(2)): the kernel writes what fits, and fails."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("room", [0, 1000, 5000, 15000])
def test_when_there_is_room_again_it_goes_on_and_nothing_is_missing(
    tmp_path: Path, room: int
) -> None:
    @on_loop
    async def test() -> None:
        async with open_database(Database(), tmp_path) as stores:
            await stores.executions.add(*batch(0))
            with full_disk(log_of(tmp_path).stat().st_size + room):
                for number in (1, 2, 1):
                    with pytest.raises(StoreFailed):
                        await stores.executions.add(*batch(number))
            for number in (1, 2, 3):
                await stores.executions.add(*batch(number))
            assert await counts(stores) == (40, 40)
        async with open_database(Database(), tmp_path) as stores:
            assert await counts(stores) == (40, 40)

    test()
