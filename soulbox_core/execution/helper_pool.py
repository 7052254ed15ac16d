"""The compile helpers of one language that are kept warm: who has which, and what follows it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial

from soulbox_core.errors import SandboxError
from soulbox_core.execution.helper_process import Ended, HelperProcess

logger = logging.getLogger(__name__)

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits between attempts to start a helper; the last one repeats."""
_CLOSING = "the service is shutting down"


class HelperPool:
    """Keeps `count` helpers, and gives one at a time to each who asks, first come, first served.

    :param new: makes a helper, which is then on its way to be ready
    """

    def __init__(self, language: str, new: Callable[[], HelperProcess], count: int) -> None:
        self._language = language
        self._new = new
        self._count = count
        self._ready: set[HelperProcess] = set()
        """Those that can be asked, now or after what they are at."""
        self._idle: deque[HelperProcess] = deque()
        self._waiting: deque[asyncio.Future[HelperProcess]] = deque()
        self._processes: set[HelperProcess] = set()
        """All whose cell was not given back yet."""
        self._slots: list[asyncio.Task[None]] = []
        self._fault: str | None = None
        """Why the last helper did not start; None since one did."""
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether there is a helper, be it at work."""
        return bool(self._ready)

    async def start(self) -> None:
        """Start the helpers, and wait until each is ready or has failed once; then go on trying."""
        tried = [asyncio.Event() for _ in range(self._count)]
        self._slots = [asyncio.create_task(self._keep(event)) for event in tried]
        for event in tried:
            await event.wait()

    async def close(self) -> None:
        """Kill the helpers and refuse who waits. Safe to call twice."""
        self._closed = True
        for slot in self._slots:
            slot.cancel()
        self._refuse(_CLOSING)
        self._ready.clear()
        processes = tuple(self._processes)
        for helper in processes:
            helper.kill(Ended(why=_CLOSING))
        gone = (helper.gone() for helper in processes)
        await asyncio.gather(*self._slots, *gone, return_exceptions=True)

    async def claim(self) -> HelperProcess:
        """Wait for a helper that is free; to be given back.

        :raises SandboxError: there is none, and the last one did not start
        """
        if self._closed:
            raise SandboxError(_CLOSING)
        while self._idle:
            helper = self._idle.popleft()
            if not helper.is_over:
                return helper
        if not self._ready and self._fault is not None:
            raise SandboxError(self._fault)
        waiting: asyncio.Future[HelperProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self.give_back(waiting.result())  # it was given to us in the same moment
            raise

    def give_back(self, helper: HelperProcess) -> None:
        """Let the next have it, if it is still one of those that are asked."""
        if helper not in self._ready:
            helper.kill(Ended(why="its successor is ready"))
        elif not helper.is_over:
            self._offer(helper)

    async def _keep(self, tried: asyncio.Event) -> None:
        """Have one helper at all times: the next one is started before the last one goes."""
        last: HelperProcess | None = None
        failures = 0
        while True:
            helper = await self._started(failures, tried)
            if last is not None:
                self._retire(last)
            self._ready.add(helper)
            helper.ended.add_done_callback(partial(self._lost, helper))
            self._offer(helper)
            await helper.spent.wait()
            # One that dies before it is of any use must not be started again and again at once.
            failures = failures + 1 if helper.is_over and not helper.asked else 0
            last = helper

    async def _started(self, failures: int, tried: asyncio.Event) -> HelperProcess:
        while True:
            if failures:
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1])
            helper = self._new()
            self._processes.add(helper)
            helper.when_gone(partial(self._processes.discard, helper))
            try:
                await helper.ready()
            except SandboxError as error:
                failures += 1
                self._failed(f"{self._language}: no compile helper: {error}")
            else:
                self._fault = None
                return helper
            finally:
                tried.set()

    def _failed(self, why: str) -> None:
        if why != self._fault:
            logger.error("%s", why)
        self._fault = why
        if not self._ready:
            self._refuse(why)

    def _lost(self, helper: HelperProcess, ended: "asyncio.Future[Ended]") -> None:
        if helper in self._ready:
            self._ready.discard(helper)
            logger.warning("%s: compile helper replaced: %s", self._language, ended.result().why)

    def _retire(self, helper: HelperProcess) -> None:
        self._ready.discard(helper)
        if helper in self._idle:
            self._idle.remove(helper)
            self.give_back(helper)

    def _offer(self, helper: HelperProcess) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(helper)
                return
        self._idle.append(helper)

    def _refuse(self, why: str) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(SandboxError(why))
