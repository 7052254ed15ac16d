"""Who may run now, and who waits: a reservation of room, first come, first served."""

import asyncio

from soulbox_core.errors import LimitAboveCeiling, Overloaded
from soulbox_core.service.room import Room


class Admission:
    """Lets runs in while what they may take fits in what there is.

    Only the longest waiting is ever let in next, so a run that wants much is not overtaken for
    ever by runs that want little. Every method belongs to the event loop's thread.

    :param room: what all running cells may reserve together
    :param queue: most runs waiting
    :param queue_seconds: longest wait
    """

    def __init__(self, *, room: Room, queue: int, queue_seconds: float) -> None:
        self._total = room
        self._queue = queue
        self._queue_seconds = queue_seconds
        self._reserved = Room()
        self._running = 0
        self._waiting: dict[asyncio.Future[None], Room] = {}  # in order of arrival
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
    def reserved(self) -> Room:
        """What the running ones may take."""
        return self._reserved

    @property
    def total(self) -> Room:
        """What all of them may take together."""
        return self._total

    async def acquire(self, room: Room) -> None:
        """Return when the run may start; `release` the same amount when it is over.

        Does not suspend when there is room. Cancelled while it waits, it holds nothing.

        :raises LimitAboveCeiling: it could never fit
        :raises Overloaded: the queue is full, the wait was too long, or the service is stopping
        """
        if self._closed:
            raise Overloaded("shutting down; try another instance, or this one again later")
        for limit in Room.__struct_fields__:
            asked, most = getattr(room, limit), getattr(self._total, limit)
            if asked > most:
                raise LimitAboveCeiling(limit, asked, most)
        if not self._waiting and self._fits(room):
            self._enter(room)
        else:
            await self._wait(room)

    def release(self, room: Room) -> None:
        """Give a reservation back and let in whoever fits now."""
        self._reserved -= room
        self._running -= 1
        self._advance()

    def shrink(self, room: Room) -> None:
        """Give a part of a reservation back; the run goes on."""
        self._reserved -= room
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

    def _fits(self, room: Room) -> bool:
        return (self._reserved + room).fits(self._total)

    def _enter(self, room: Room) -> None:
        self._reserved += room
        self._running += 1
        self._idle.clear()

    async def _wait(self, room: Room) -> None:
        if len(self._waiting) >= self._queue:
            raise Overloaded(f"{self._queue} runs are waiting already; try again later")
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting[turn] = room
        deadline = loop.call_later(self._queue_seconds, self._expire, turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._withdraw(turn, room)
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

    def _withdraw(self, turn: asyncio.Future[None], room: Room) -> None:
        """The caller was cancelled: in the queue, or already let in but not yet told."""
        if self._waiting.pop(turn, None) is not None:
            self._advance()
        elif not turn.cancelled() and turn.exception() is None:
            self.release(room)

    def _advance(self) -> None:
        while self._waiting:
            turn, room = next(iter(self._waiting.items()))
            if not turn.cancelled():  # else its caller is about to withdraw
                if not self._fits(room):
                    return
                self._enter(room)
                turn.set_result(None)
            del self._waiting[turn]
        if self._running == 0:
            self._idle.set()
