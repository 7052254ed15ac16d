"""Records are kept for so long, and no longer."""

import asyncio
import logging
from collections.abc import Callable
from time import time

from soulbox_core.errors import StoreFailed
from soulbox_core.journal.journal import Journal
from soulbox_core.store.port import Executions

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
"""How often old records are dropped, or more often where they are not kept for so long."""


class Retention:
    """Drops old records, from its start until it is closed.

    :param journal: may hold some that the database did not take
    :param seconds: how long a record is kept
    :param clock: seconds since the epoch
    """

    def __init__(
        self,
        executions: Executions,
        journal: Journal,
        seconds: float,
        clock: Callable[[], float] = time,
    ) -> None:
        self._executions = executions
        self._journal = journal
        self._seconds = seconds
        self._clock = clock
        self._dropping = asyncio.create_task(self._drop_on())

    async def close(self) -> None:
        """Drop no more."""
        self._dropping.cancel()
        await asyncio.wait((self._dropping,))

    async def _drop_on(self) -> None:
        while True:
            before = self._clock() - self._seconds
            try:
                await self._journal.forget(before)
                dropped = await self._executions.forget(before)
                if dropped:
                    logger.info("dropped %d records of runs", dropped)
            except (StoreFailed, OSError) as error:
                logger.warning("old records of runs are still there: %s", error)
            except Exception:
                # A border: whatever it is, old records must go on being dropped.
                logger.exception("old records of runs are still there")
            await asyncio.sleep(min(EVERY_SECONDS, self._seconds))
