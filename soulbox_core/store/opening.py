"""Opening the database that the settings name."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.settings import Database as Settings
from soulbox_core.store.dump import SurrealDump
from soulbox_core.store.embedded import Embedded, open_embedded
from soulbox_core.store.executions import SurrealExecutions
from soulbox_core.store.identities import Identities
from soulbox_core.store.migrations import migrate
from soulbox_core.store.port import Dump, Executions, Health, Store
from soulbox_core.store.replicas import Replicas
from soulbox_core.store.rewriting import Rewriting
from soulbox_core.store.room import Room
from soulbox_core.store.server import Server
from soulbox_core.store.tally import Tally
from soulbox_core.store.upkeep import Upkeep

logger = logging.getLogger(__name__)


class Stores:
    """What is kept, by kind.

    :param primary: where everything is written
    :param replicas: where what may be old is read
    :param room: is told how many records come and go
    """

    def __init__(
        self,
        primary: Embedded | Server,
        tally: Tally,
        replicas: tuple[Server, ...] = (),
        room: Room | None = None,
    ) -> None:
        self._primary = primary
        self._replicas = replicas
        self.tally = tally
        self.identities: Store = Identities(primary, self.tally)
        self.executions: Executions = SurrealExecutions(
            primary, Replicas(primary, replicas, self.tally), room=room
        )
        self.dump: Dump = SurrealDump(primary)
        self.embedded = not isinstance(primary, Server)
        """Whether the database is part of this process, and of no other."""

    @property
    def primary_failures(self) -> int:
        """Times that the primary was asked in vain, or could not write."""
        return self._primary.failures

    def health(self) -> Health:
        """How the database was when it was last asked."""
        return Health(
            primary=self._primary.answered,
            replicas=tuple(replica.answered for replica in self._replicas),
        )


@asynccontextmanager
async def open_database(
    settings: Settings, directory: Path, most: int | None = None
) -> AsyncIterator[Stores]:
    """Open the database, and bring its tables up to date.

    :param directory: where one is that is part of this process; it is made if it is not there
    :param most: how many records of runs one of this process keeps; None if it is not open for
        long enough to be looked after
    :raises StoreError: it cannot be reached or opened, another process has it open, a newer
        SoulBox made it, or it is damaged
    :raises SettingsError: an address is none
    """
    async with AsyncExitStack() as closing:
        if not settings.url:
            embedded = await closing.enter_async_context(open_embedded(directory))
            await migrate(embedded)
            tally = Tally()
            room = None
            if most is not None:
                room = await _room_of(embedded, most, tally)
                closing.push_async_callback(Upkeep(room, Rewriting(embedded, tally)).close)
            yield Stores(embedded, tally, room=room)
            return
        primary = Server(settings.url, settings)
        replicas = tuple(Server(url, settings) for url in settings.replicas)
        for server in (primary, *replicas):
            closing.push_async_callback(server.close)
        try:
            await primary.connect()
        except StoreFailed as error:
            raise StoreError(
                f"the database cannot be used: {error}; start it, or mend database.url,"
                " database.user and database.password"
            ) from None
        await migrate(primary)
        for outcome in await asyncio.gather(
            *(replica.connect() for replica in replicas), return_exceptions=True
        ):
            if isinstance(outcome, StoreFailed):  # the primary answers meanwhile
                logger.warning("database: replica: %s", outcome)
            elif isinstance(outcome, BaseException):
                raise outcome
        yield Stores(primary, Tally(), replicas)


async def _room_of(database: Embedded, most: int, tally: Tally) -> Room:
    """:raises StoreError: the database fails"""
    try:
        return await Room.of(database, most, tally)
    except StoreFailed as error:
        raise StoreError(f"the database cannot be used: {error}") from None
