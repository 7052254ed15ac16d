"""Work that is done again and again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)


class Routine:
    """Does a piece of work again and again, from its start until it is closed.

    :param work: returns the seconds until it is done again; what it raises nobody foresaw
    :param trouble: what is the case then, for the log
    :param again_seconds: how long it is left alone then
    """

    def __init__(
        self, work: Callable[[], Awaitable[float]], trouble: str, again_seconds: float
    ) -> None:
        self._work = work
        self._trouble = trouble
        self._again_seconds = again_seconds
        self._task = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """Do it no more. What is under way is broken off."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _go_on(self) -> None:
        while True:
            try:
                pause = await self._work()
            except Exception:
                # A border: whatever it is, the work must go on being done.
                logger.exception("%s", self._trouble)
                pause = self._again_seconds
            await asyncio.sleep(pause)
