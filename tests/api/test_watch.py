import asyncio

import pytest

from soulbox_core.api.watch import Beside, ClientGone
from tests.loop import on_loop, settle


async def raises(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


async def waits(log: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


@on_loop
async def test_an_error_beside_the_block_is_raised_from_where_it_waits() -> None:
    log: list[str] = []
    with pytest.raises(ClientGone), Beside(raises, ClientGone()):
        await waits(log)
    assert log == ["cancelled"]


@on_loop
async def test_the_task_is_not_left_cancelled() -> None:
    with pytest.raises(ClientGone), Beside(raises, ClientGone()):
        await waits([])
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


@on_loop
async def test_what_runs_beside_ends_with_the_block() -> None:
    log: list[str] = []
    with Beside(waits, log):
        await settle()
    await settle()
    assert log == ["cancelled"]


@on_loop
async def test_a_block_that_never_waits_leaves_nothing_running() -> None:
    log: list[str] = []
    with Beside(waits, log):
        pass
    await settle()
    assert log == []
    assert len(asyncio.all_tasks()) == 1


@on_loop
async def test_a_block_that_ends_although_it_was_told_to_stop_still_raises() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    with pytest.raises(ClientGone), Beside(raises, ClientGone()):
        await stubborn()


@on_loop
async def test_an_error_of_the_block_itself_wins() -> None:
    async def breaks() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError

    with pytest.raises(KeyError), Beside(raises, ClientGone()):
        await breaks()


@on_loop
async def test_a_cancellation_from_outside_stays_one() -> None:
    async def run() -> None:
        with Beside(waits, []):
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await settle()
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()


@on_loop
async def test_a_cancellation_from_outside_wins_over_an_error_at_the_same_time() -> None:
    async def run() -> None:
        with Beside(raises, ClientGone()):
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
