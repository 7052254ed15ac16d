"""When a connection that does nothing, or hardly anything, is closed."""

import asyncio
from collections.abc import Callable


class Deadlines:
    """Two timers of one connection: for lying idle, and for the head of a request under way.

    It takes the place of Hypercorn's idle task, whose methods `restart` and `stop` are. That one
    is a task for every request; and it starts when a request ended but ends only when the next
    one's head is complete, which a client may send a byte a second.

    :param expire: called once, when one of them is over
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        idle_seconds: float,
        head_seconds: float,
        expire: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._idle_seconds = idle_seconds
        self._head_seconds = head_seconds
        self._expire = expire
        self._idle: asyncio.TimerHandle | None = None
        self._head: asyncio.TimerHandle | None = None
        self._last = False
        self._over = False

    async def restart(self, *_: object) -> None:
        """The connection is idle from now on."""
        self._stop_idle()
        if self._last:
            self._end()
        elif not self._over:
            self._idle = self._loop.call_later(self._idle_seconds, self._end)

    async def stop(self) -> None:
        """It has a request to answer now."""
        self._stop_idle()

    def head(self, under_way: bool) -> None:
        """Whether a request's head has begun and is not complete. Told after each read."""
        if not under_way:
            self._stop_head()
        elif self._head is None and not self._over:
            self._head = self._loop.call_later(self._head_seconds, self._end)

    def hurry(self) -> None:
        """Let the request under way be the last: end when idle, which may be now."""
        self._last = True
        if self._idle is not None:
            self._end()

    def close(self) -> None:
        """No timer runs any more."""
        self._over = True
        self._stop_idle()
        self._stop_head()

    def _end(self) -> None:
        if not self._over:
            self.close()
            self._expire()

    def _stop_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _stop_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None
