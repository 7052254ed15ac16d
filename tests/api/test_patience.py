import asyncio

import pytest

from soulbox_core.api.patience import Patience, Stalled
from tests.loop import on_loop, settle


@on_loop
async def test_a_send_that_waits_for_too_long_is_broken_off() -> None:
    patience = Patience(0.01)
    with pytest.raises(Stalled), patience:
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@on_loop
async def test_sends_that_wait_for_too_long_together_are() -> None:
    async def send_many() -> None:
        for _ in range(100):
            with patience:
                await asyncio.sleep(0.03)

    patience = Patience(0.1)
    with pytest.raises(Stalled):
        await send_many()


@on_loop
async def test_time_between_sends_does_not_count() -> None:
    patience = Patience(0.05)
    for _ in range(4):
        with patience:
            await asyncio.sleep(0)
        await asyncio.sleep(0.03)
    patience.close()


@on_loop
async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    async def send(seconds: float) -> None:
        with Patience(seconds):
            await asyncio.Event().wait()

    for seconds in (60.0, 0.0):
        task = asyncio.create_task(send(seconds))
        await settle()
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled() is (seconds > 0)


@on_loop
async def test_an_error_of_the_send_itself_wins() -> None:
    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError

    with pytest.raises(KeyError), Patience(0.01):
        await fail()
