"""Keeps a database that is part of this process from growing without end."""

import asyncio
import logging

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.store.rewriting import Rewriting
from soulbox_core.store.room import Room

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
"""How often it is looked after."""
AGAIN_SECONDS = 600.0
"""How long a database that could not be rewritten is left as it is."""


class Upkeep:
    """Drops the records that are too many and rewrites the database when that is due, from its
    start until it is closed."""

    def __init__(self, room: Room, rewriting: Rewriting) -> None:
        self._room = room
        self._rewriting = rewriting
        self._tasks = (
            asyncio.create_task(self._make_room_on()),
            asyncio.create_task(self._rewrite_on()),
        )

    async def close(self) -> None:
        """Leave it as it is. What is under way is broken off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _make_room_on(self) -> None:
        while True:
            try:
                dropped = await self._room.make()
                if dropped:
                    logger.info("dropped the oldest %d records of runs: records.most", dropped)
            except StoreFailed as error:
                logger.warning("records of runs that are too many are still there: %s", error)
            except Exception:
                # A border: whatever it is, the database must go on being looked after.
                logger.exception("records of runs that are too many are still there")
            await asyncio.sleep(EVERY_SECONDS)

    async def _rewrite_on(self) -> None:
        while True:
            pause = EVERY_SECONDS
            try:
                if await self._rewriting.is_due():
                    await self._rewriting.rewrite()
            except (StoreFailed, StoreError, OSError) as error:
                pause = AGAIN_SECONDS
                logger.error(
                    "the database could not be rewritten and goes on growing: %s; make room on its"
                    " disk; it is tried again in %d minutes",
                    error,
                    AGAIN_SECONDS // 60,
                )
            except Exception:
                # A border, as above.
                pause = AGAIN_SECONDS
                logger.exception("the database could not be rewritten and goes on growing")
            await asyncio.sleep(pause)
