"""Records are kept for so long, and no longer."""

import logging
from collections.abc import Callable
from time import time

from soulbox_core.errors import StoreFailed
from soulbox_core.journal.journal import Journal
from soulbox_core.routine import Routine
from soulbox_core.store.port import Executions

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
"""How often old records are dropped, or more often where they are not kept for so long."""
_TROUBLE = "old records of runs are still there"


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
        self._every_seconds = min(EVERY_SECONDS, seconds)
        self._dropping = Routine(self._drop, _TROUBLE, self._every_seconds)

    async def close(self) -> None:
        """Drop no more."""
        await self._dropping.close()

    async def _drop(self) -> float:
        before = self._clock() - self._seconds
        try:
            await self._journal.forget(before)
            dropped = await self._executions.forget(before)
            if dropped:
                logger.info("dropped %d records of runs", dropped)
        except (StoreFailed, OSError) as error:
            logger.warning("%s: %s", _TROUBLE, error)
        return self._every_seconds
