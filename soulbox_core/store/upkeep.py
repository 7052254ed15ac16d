"""Keeps a database that is part of this process from growing without end."""

import asyncio
import logging

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.routine import Routine
from soulbox_core.store.rewriting import Rewriting
from soulbox_core.store.room import Room

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
"""How often it is looked after."""
AGAIN_SECONDS = 600.0
"""How long a database that could not be rewritten is left as it is."""
_TOO_MANY = "records of runs that are too many are still there"
_TOO_LARGE = "the database could not be rewritten and goes on growing"


class Upkeep:
    """Drops the records that are too many and rewrites the database when that is due, from its
    start until it is closed."""

    def __init__(self, room: Room, rewriting: Rewriting) -> None:
        self._room = room
        self._rewriting = rewriting
        self._routines = (
            Routine(self._make_room, _TOO_MANY, EVERY_SECONDS),
            Routine(self._rewrite, _TOO_LARGE, AGAIN_SECONDS),
        )

    async def close(self) -> None:
        """Leave it as it is. What is under way is broken off."""
        await asyncio.gather(*(routine.close() for routine in self._routines))

    async def _make_room(self) -> float:
        try:
            dropped = await self._room.make()
            if dropped:
                logger.info("dropped the oldest %d records of runs: records.most", dropped)
        except StoreFailed as error:
            logger.warning("%s: %s", _TOO_MANY, error)
        return EVERY_SECONDS

    async def _rewrite(self) -> float:
        try:
            if await self._rewriting.is_due():
                await self._rewriting.rewrite()
        except (StoreFailed, StoreError, OSError) as error:
            logger.error(
                "%s: %s; make room on its disk; it is tried again in %d minutes",
                _TOO_LARGE,
                error,
                AGAIN_SECONDS // 60,
            )
            return AGAIN_SECONDS
        return EVERY_SECONDS
