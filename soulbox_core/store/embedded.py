"""SurrealDB, embedded in this process, in a directory of its own."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.store.database import persistently
from soulbox_core.store.engine import Engine, open_engine
from soulbox_core.store.generations import current_of, drop_others
from soulbox_core.store.lock import locked

logger = logging.getLogger(__name__)


_BROKEN = "Log error"
"""What the engine says when it could not write, and from then on."""


class Embedded:
    """`Database` on the only engine. Writes are made one after the other, so none conflicts
    but with what the engine does by itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = asyncio.Lock()
        self._writes: set[asyncio.Task[Any]] = set()
        self.answered = True
        """Whether it could write when it was last written to."""
        self.failures = 0
        """Times that it could not."""

    @property
    def path(self) -> Path:
        """Where its files are."""
        return self._engine.path

    async def ask(self, query: str, **values: Any) -> Any:
        return await self._engine.ask(query, values)

    async def write(self, query: str, **values: Any) -> Any:
        # The engine may go on with what nobody waits for any more, and it does not always notice
        # that two writes meet. So a write that is begun has its turn to the end.
        task = asyncio.create_task(self._write(query, values))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """Nothing is written for the time of the context: writes wait, reads do not."""
        async with self._writing:
            yield

    def move(self, engine: Engine) -> Engine:
        """Go on with another engine, which must have what the old one has; that is returned, and
        may have reads under way. To be called while the database is still."""
        old, self._engine = self._engine, engine
        return old

    async def close(self) -> None:
        """Close it when the last write is over."""
        if self._writes:
            await asyncio.wait(self._writes)
        await self._engine.close()

    async def _write(self, query: str, values: dict[str, Any]) -> Any:
        async with self._writing:
            try:
                answer = await persistently(lambda: self.ask(query, **values))
            except StoreFailed as error:
                if _BROKEN in str(error):
                    self.answered = False
                    self.failures += 1
                    await self._open_anew()
                raise
            self.answered = True
            return answer

    async def _open_anew(self) -> None:
        """Open the engine again: once it could not write, it writes no more, and soon reads no
        more. What it wrote of the last transaction may be a part of it.

        :raises StoreFailed: that does not work either, and is tried again at the next write
        """
        path = self._engine.path
        await self._engine.close()
        self._engine = await open_engine(path)
        logger.warning("the database could not write, and was opened again")


@asynccontextmanager
async def open_embedded(directory: Path) -> AsyncIterator[Embedded]:
    """Open the database in a directory, which is made if it is not there.

    Two that are open on one directory would not see what the other writes, so it is locked.

    :raises StoreError: another process has it open, or it is damaged
    """
    _make_private(directory)
    with locked(directory):
        current = current_of(directory)
        try:
            engine = await open_engine(current)
        except StoreFailed as error:
            raise StoreError(
                f"the database in {directory} cannot be opened: {error}; restore it from a backup,"
                " or move it away to begin anew without its keys"
            ) from None
        database = Embedded(engine)
        try:
            drop_others(directory, current)
            yield database
        finally:
            await database.close()


def _make_private(directory: Path) -> None:
    """Make a directory that nobody else can look into.

    :raises StoreError: it cannot be made, or belongs to somebody else
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise StoreError(
            f"{directory}: {error.strerror}; set state_dir to a directory that user id"
            f" {os.getuid()} can write"
        ) from None
