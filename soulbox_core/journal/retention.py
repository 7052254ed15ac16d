"""Records are kept for so long, and no longer."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from time import time

from soulbox_core.errors import StoreFailed
from soulbox_core.store.port import Executions

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
"""How often old records are dropped, or more often where they are not kept for so long."""


class Retention:
    """Drops old records, from its start until it is closed.

    :param seconds: how long a record is kept
    :param clock: seconds since the epoch
    """

    def __init__(
        self, executions: Executions, seconds: float, clock: Callable[[], float] = time
    ) -> None:
        self._executions = executions
        self._seconds = seconds
        self._clock = clock
        self._dropping = asyncio.create_task(self._drop_on())

    async def close(self) -> None:
        """Drop no more."""
        self._dropping.cancel()
        with suppress(asyncio.CancelledError):
            await self._dropping

    async def _drop_on(self) -> None:
        while True:
            try:
                dropped = await self._executions.forget(self._clock() - self._seconds)
                if dropped:
                    logger.info("dropped %d records of runs", dropped)
            except StoreFailed as error:
                logger.warning("old records of runs are still there: %s", error)
            await asyncio.sleep(min(EVERY_SECONDS, self._seconds))
