import asyncio
import logging

import pytest

from soulbox_core.routine import Routine
from tests.loop import on_loop, until


@on_loop
async def test_work_is_done_again_when_it_says_so() -> None:
    done: list[int] = []

    async def work() -> float:
        done.append(len(done))
        return 0.0 if len(done) < 3 else 3600.0

    routine = Routine(work, "it failed", 3600.0)
    await until(lambda: len(done) == 3)
    await asyncio.sleep(0.02)
    await routine.close()
    assert done == [0, 1, 2]


@on_loop
async def test_what_nobody_foresaw_is_told_and_does_not_end_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[int] = []

    async def work() -> float:
        done.append(len(done))
        if len(done) == 1:
            raise KeyError("a mistake of ours")
        return 3600.0

    with caplog.at_level(logging.ERROR):
        routine = Routine(work, "100 % of it failed", 0.01)
        await until(lambda: len(done) == 2)
        await routine.close()
    assert [entry.getMessage() for entry in caplog.records] == ["100 % of it failed"]
    assert "a mistake of ours" in caplog.text


@on_loop
async def test_closed_it_breaks_off_what_is_under_way() -> None:
    ended: list[str] = []

    async def work() -> float:
        try:
            await asyncio.sleep(3600.0)
        finally:
            ended.append("broken off")
        return 0.0

    routine = Routine(work, "it failed", 0.0)
    await asyncio.sleep(0.01)
    await routine.close()
    assert ended == ["broken off"]
