"""Who may run now, and who waits: a reservation of memory, first come, first served."""

import asyncio

from soulbox_core.errors import LimitAboveCeiling, Overloaded


class Admission:
    """Lets runs in while the memory they may use fits in what there is.

    Only the longest waiting is ever let in next, so a run that wants much is not overtaken for
    ever by runs that want little. Every method belongs to the event loop's thread.

    :param memory_bytes: what all running cells may reserve together
    :param queue: most runs waiting
    :param queue_seconds: longest wait
    """

    def __init__(self, *, memory_bytes: int, queue: int, queue_seconds: float) -> None:
        self._total = memory_bytes
        self._queue = queue
        self._queue_seconds = queue_seconds
        self._reserved = 0
        self._running = 0
        self._waiting: dict[asyncio.Future[None], int] = {}  # in order of arrival
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def running(self) -> int:
        """Runs let in and not yet out."""
        return self._running

    @property
    def waiting(self) -> int:
        """Runs in the queue."""
        return len(self._waiting)

    @property
    def reserved_bytes(self) -> int:
        """Memory that the running ones may use."""
        return self._reserved

    @property
    def total_bytes(self) -> int:
        """Memory that all of them may use together."""
        return self._total

    async def acquire(self, memory_bytes: int) -> None:
        """Return when the run may start; `release` the same amount when it is over.

        Does not suspend when there is room. Cancelled while it waits, it holds nothing.

        :raises LimitAboveCeiling: it could never fit
        :raises Overloaded: the queue is full, the wait was too long, or the service is stopping
        """
        if self._closed:
            raise Overloaded("shutting down; try another instance, or this one again later")
        if memory_bytes > self._total:
            raise LimitAboveCeiling("memory_bytes", memory_bytes, self._total)
        if not self._waiting and self._fits(memory_bytes):
            self._enter(memory_bytes)
        else:
            await self._wait(memory_bytes)

    def release(self, memory_bytes: int) -> None:
        """Give a reservation back and let in whoever fits now."""
        self._reserved -= memory_bytes
        self._running -= 1
        self._advance()

    def shrink(self, memory_bytes: int) -> None:
        """Give a part of a reservation back; the run goes on."""
        self._reserved -= memory_bytes
        self._advance()

    def close(self) -> None:
        """Let no new runs in. Those that wait already keep their turn."""
        self._closed = True

    async def wait_idle(self, timeout_seconds: float) -> bool:
        """Wait until nothing runs and nothing waits; False if that took too long."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def _fits(self, memory_bytes: int) -> bool:
        return self._reserved + memory_bytes <= self._total

    def _enter(self, memory_bytes: int) -> None:
        self._reserved += memory_bytes
        self._running += 1
        self._idle.clear()

    async def _wait(self, memory_bytes: int) -> None:
        if len(self._waiting) >= self._queue:
            raise Overloaded(f"{self._queue} runs are waiting already; try again later")
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting[turn] = memory_bytes
        deadline = loop.call_later(self._queue_seconds, self._expire, turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._withdraw(turn, memory_bytes)
            raise
        finally:
            deadline.cancel()

    def _expire(self, turn: asyncio.Future[None]) -> None:
        if not turn.done():
            del self._waiting[turn]
            turn.set_exception(
                Overloaded(f"no room within {self._queue_seconds:g} seconds; try again later")
            )
            self._advance()

    def _withdraw(self, turn: asyncio.Future[None], memory_bytes: int) -> None:
        """The caller was cancelled: in the queue, or already let in but not yet told."""
        if self._waiting.pop(turn, None) is not None:
            self._advance()
        elif not turn.cancelled() and turn.exception() is None:
            self.release(memory_bytes)

    def _advance(self) -> None:
        while self._waiting:
            turn, memory_bytes = next(iter(self._waiting.items()))
            if not turn.cancelled():  # else its caller is about to withdraw
                if not self._fits(memory_bytes):
                    return
                self._enter(memory_bytes)
                turn.set_result(None)
            del self._waiting[turn]
        if self._running == 0:
            self._idle.set()
