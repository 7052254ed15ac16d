"""How many records a database keeps that is part of this process: it holds an index of all of
them in memory."""

from collections.abc import Callable
from time import time
from typing import Any

from soulbox_core.store.database import Damaged, Database, rows_of
from soulbox_core.store.tally import Tally

_SLACK = 10
"""There may be a tenth more, so that dropping is done seldom."""
_PIECE = 200
"""Records that are dropped at one stroke, for which others wait."""
_BATCHES = 1000
"""Batches that are known, at least."""
_COMES_AGAIN_SECONDS = 120.0
"""How long a batch may come again after it was kept: the journal brings them one by one, and leaves
one alone for a minute of which it was not told that it was kept."""

_COUNT = "SELECT count() AS rows FROM type::table($table) GROUP ALL"
# The oldest come first, in the table by their ids and in the index by their time.
_DROP_RECORDS = """
    LET $found = (SELECT VALUE id FROM execution LIMIT $piece);
    DELETE $found RETURN NONE;
    RETURN count($found);
"""
_DROP_BATCHES = """
    LET $found = (
        SELECT VALUE id FROM batch WITH INDEX batch_age WHERE kept_at < $before LIMIT $piece
    );
    DELETE $found RETURN NONE;
    RETURN count($found);
"""


class Room:
    """Knows how many records and batches there are, and drops the oldest of those too many. Usage
    stays.

    :param most: how many records are kept; a tenth more may be there
    :param records: how many there are
    :param batches: the same of batches
    :param clock: seconds since the epoch
    """

    def __init__(
        self,
        database: Database,
        most: int,
        tally: Tally,
        records: int,
        batches: int,
        clock: Callable[[], float] = time,
    ) -> None:
        self._database = database
        self._most = most
        self._tally = tally
        self._records = records
        self._batches = batches
        self._clock = clock

    @classmethod
    async def of(cls, database: Database, most: int, tally: Tally) -> "Room":
        """That of a database, in which is counted once.

        :raises StoreFailed: it failed
        """
        records, batches = [await count(database, table) for table in ("execution", "batch")]
        return cls(database, most, tally, records, batches)

    def added(self, records: int) -> None:
        """A batch of records was kept."""
        self._records += records
        self._batches += 1

    def dropped(self, records: int = 0, batches: int = 0) -> None:
        """Somebody else dropped records or batches."""
        self._records -= records
        self._batches -= batches

    async def make(self) -> int:
        """Drop what is too many, in pieces between which others have their turn; how many records.

        :raises StoreFailed: the database failed
        """
        dropped = 0
        if self._records > self._most + self._most // _SLACK:
            # What nobody waited for, or what failed half-way, was not told.
            self._records = await count(self._database, "execution")
            while (excess := self._records - self._most) > 0:
                found = await self._drop(_DROP_RECORDS, piece=min(excess, _PIECE))
                if not found:  # somebody else was first
                    break
                self._records -= found
                self._tally.dropped_for_room += found
                dropped += found
        if self._batches > 2 * _BATCHES:
            self._batches = await count(self._database, "batch")
            before = self._clock() - _COMES_AGAIN_SECONDS
            while (excess := self._batches - _BATCHES) > 0:
                found = await self._drop(_DROP_BATCHES, piece=min(excess, _PIECE), before=before)
                if not found:  # the others are too young
                    break
                self._batches -= found
        return dropped

    async def _drop(self, query: str, **values: float) -> int:
        found = await self._database.write(query, **values)
        if not isinstance(found, int):
            raise Damaged("the database's count is none")
        return found


async def count(database: Database, table: str) -> int:
    """How many records there are in a table.

    :raises StoreFailed: the database failed
    """
    found: Any = rows_of(await database.ask(_COUNT, table=table))
    rows = found[0].get("rows") if found else 0
    if not isinstance(rows, int):
        raise Damaged("the database's count is none")
    return rows
