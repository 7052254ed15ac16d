"""Coroutine tests, on the event loop that the service runs on."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

import uvloop

P = ParamSpec("P")
_SECONDS = 60.0
_PATIENCE_SECONDS = 20.0


def on_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Let pytest call a coroutine function."""

    @functools.wraps(test)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_in_time(test(*args, **kwargs)))

    return call


async def _in_time(test: Coroutine[Any, Any, None]) -> None:
    """No test waits for ever: pytest-timeout's signal does not reach a loop of libuv's."""
    async with asyncio.timeout(_SECONDS):
        await test


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what tells nobody that it has happened."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110, no event is set for it
            await asyncio.sleep(0.005)
