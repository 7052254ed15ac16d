"""Work that several ask for at once is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from soulbox_core.errors import SandboxError

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class _Flight(Generic[Result]):
    def __init__(self, task: "asyncio.Task[Result]") -> None:
        self.task = task
        self.aboard = 0


class SingleFlight(Generic[Key, Result]):
    """One flight at a time for each key. Nothing is remembered after it has landed."""

    def __init__(self) -> None:
        self._flights: dict[Key, _Flight[Result]] = {}
        self._tasks: set[asyncio.Task[Result]] = set()

    def under_way(self, key: Key) -> bool:
        """Whether who asks now would join."""
        return key in self._flights

    async def fly(self, key: Key, work: Callable[[], Awaitable[Result]]) -> tuple[Result, bool]:
        """Do the work, or wait for who is doing it; its exception goes to all who wait.

        A caller that is cancelled leaves alone. The work is cancelled with the last of them.

        :returns: the result, and whether the work was already under way
        :raises SandboxError: the work was cancelled from elsewhere
        """
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._take_off(key, work)
        flight.aboard += 1
        try:
            # Not awaited itself: a cancelled task would look like the caller's own cancellation.
            await asyncio.wait((flight.task,))
        finally:
            flight.aboard -= 1
            if not flight.aboard and not flight.task.done():
                self._forget(key, flight)  # who comes now must not board what is going down
                flight.task.cancel()
        if flight.task.cancelled():
            raise SandboxError("what was waited for was given up")
        return flight.task.result(), joined

    async def close(self) -> None:
        """Cancel what is under way, and wait for it."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take_off(self, key: Key, work: Callable[[], Awaitable[Result]]) -> _Flight[Result]:
        flight = _Flight(asyncio.create_task(_done(work)))
        self._flights[key] = flight
        self._tasks.add(flight.task)

        def landed(task: "asyncio.Task[Result]") -> None:
            self._tasks.discard(task)
            self._forget(key, flight)
            if not task.cancelled():
                task.exception()  # all who waited may have left in the same moment

        flight.task.add_done_callback(landed)
        return flight

    def _forget(self, key: Key, flight: _Flight[Result]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _done(work: Callable[[], Awaitable[Result]]) -> Result:
    return await work()
