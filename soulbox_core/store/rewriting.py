"""Makes a database small again that is part of this process: its file only grows, also when
records are dropped, and so does what the engine holds in memory."""

import asyncio
import ctypes
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from time import monotonic

from surrealdb import RecordID

from soulbox_core.store import execution_rows, generations
from soulbox_core.store.database import Damaged, Database, id_of, rows_of
from soulbox_core.store.embedded import Embedded
from soulbox_core.store.engine import Engine, open_engine
from soulbox_core.store.migrations import migrate
from soulbox_core.store.pages import Row, behind, pages
from soulbox_core.store.room import count
from soulbox_core.store.tally import Tally

logger = logging.getLogger(__name__)

_FLOOR_BYTES = 64 << 20
_FACTOR = 2
"""Due when there is so much beside so many times what it was when it was rewritten, or, if it never
was, beside as much again."""
_META = "meta"
"""Table of the schema's own; `migrate` makes its record anew."""
_FIRST_PIECE = 8
_PIECE = 100
_PIECE_BYTES = 256 << 10
"""Most that is copied at one stroke: the client holds up the event loop for some milliseconds."""
_ROUNDS = 5
_FEW = 200
"""What came and went is made up for again, until it is so little that writes can wait for it."""
_IDS = 1000
_LATE_PIECE = 20
"""The same where nobody knows how large they are."""
_CLOSING_SECONDS = 1.0
"""In which the old engine is closed."""


class Rewriting:
    """Moves a database into a new directory, with nothing in it but what is kept.

    Records of runs are the bulk and never change, so they are copied while the service reads and
    writes. Writes wait while what came and went meanwhile is made up for and all else is copied;
    reads never do.
    """

    def __init__(self, database: Embedded, tally: Tally) -> None:
        self._database = database
        self._tally = tally
        self._bytes: int | None = None

    async def is_due(self) -> bool:
        """Whether most of the file may be of no use any more.

        :raises StoreFailed: the database failed
        :raises OSError: its directory cannot be looked into
        """
        if self._bytes is None:
            found = await self._database.ask("SELECT VALUE bytes FROM ONLY meta:rewritten")
            self._bytes = found if isinstance(found, int) else _FLOOR_BYTES // _FACTOR
        size = await asyncio.to_thread(generations.size_of, self._database.path)
        return size > _FLOOR_BYTES + _FACTOR * self._bytes

    async def rewrite(self) -> None:
        """Rewrite it. If that fails nothing has changed.

        :raises StoreFailed: the database failed, or there is no room on the disk
        :raises StoreError: the new one cannot be made
        :raises OSError: there is no room on the disk
        """
        began = monotonic()
        former = self._database.path
        before = await asyncio.to_thread(generations.size_of, former)
        path = await asyncio.to_thread(generations.successor_of, former)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(asyncio.to_thread, generations.drop, path)
            engine = await open_engine(path)
            new = Embedded(engine)
            undo.push_async_callback(new.close)
            old, records = await self._move(new, engine, undo)
        await old.let_go()
        await asyncio.sleep(_CLOSING_SECONDS)
        await asyncio.to_thread(generations.drop, former)
        await asyncio.to_thread(_give_back_memory)
        after = await asyncio.to_thread(generations.size_of, path)
        self._tally.rewrites += 1
        logger.info(
            "rewrote the database: %d records of runs, %d MiB instead of %d, in %.1f s",
            records,
            after >> 20,
            before >> 20,
            monotonic() - began,
        )

    async def _move(
        self, new: Embedded, engine: Engine, undo: AsyncExitStack
    ) -> tuple[Engine, int]:
        """Copy everything to a new database and go on with its engine; the old one, and how many
        records of runs there are.

        :param undo: what is to be done if that fails; emptied when there is no way back
        """
        await migrate(new)
        copied: set[str] = set()
        enough = await count(self._database, execution_rows.TABLE)
        async for rows in pages(self._database, execution_rows.TABLE, _FIRST_PIECE, _next_size):
            await _put(new, execution_rows.TABLE, rows)
            copied.update(str(id_of(row)) for row in rows)
            if len(copied) >= enough:  # rather than run after those that come meanwhile
                break
        kept = await asyncio.to_thread(generations.size_of, engine.path)
        for _ in range(_ROUNDS):
            former, copied = copied, await self._make_up_for(new, copied)
            if len(former ^ copied) < _FEW:
                break
        async with self._database.still():
            copied = await self._make_up_for(new, copied)
            # What was made up for is of as little use as what it took the place of.
            kept -= await asyncio.to_thread(generations.size_of, engine.path)
            for table in await self._tables():
                if table != execution_rows.TABLE:
                    async for rows in pages(self._database, table, _FIRST_PIECE, _next_size):
                        await _put(new, table, rows)
                await self._check(new, table)
            kept += await asyncio.to_thread(generations.size_of, engine.path)
            await new.write("UPSERT meta:rewritten SET bytes = $bytes", bytes=kept)
            await asyncio.to_thread(generations.propose, engine.path)
            # These three together: nobody gives up between them.
            generations.appoint(engine.path)
            old = self._database.move(engine)
            undo.pop_all()
            self._bytes = kept
            with suppress(OSError):  # a power cut alone could still undo it
                await asyncio.to_thread(generations.settle, engine.path)
        return old, len(copied)

    async def _make_up_for(self, new: Database, copied: set[str]) -> set[str]:
        """Copy the records of runs that came while others were copied, and drop those that went;
        the ids of those that are copied then."""
        there: set[str] = set()
        after: str | None = None
        while True:
            found = await self._database.ask(
                "SELECT VALUE id FROM $range LIMIT $piece",
                range=behind(execution_rows.TABLE, after),
                piece=_IDS,
            )
            if not isinstance(found, list) or not all(isinstance(id, RecordID) for id in found):
                raise Damaged("the database's answer is no list of ids")
            there.update(str(id.id) for id in found)
            if len(found) < _IDS:
                break
            after = found[-1].id
        for ids in _pieces(copied - there, _IDS):
            await new.write("DELETE $ids RETURN NONE", ids=ids)
        came: set[str] = set()
        for ids in _pieces(there - copied, _LATE_PIECE):
            rows = rows_of(await self._database.ask("SELECT * FROM $ids", ids=ids))
            await _put(new, execution_rows.TABLE, rows)
            came.update(str(id_of(row)) for row in rows)
        return copied & there | came

    async def _tables(self) -> list[str]:
        answer = await self._database.ask("INFO FOR DB")
        tables = answer.get("tables") if isinstance(answer, Mapping) else None
        if not isinstance(tables, Mapping):
            raise Damaged("the database does not say which tables it has")
        return [str(table) for table in tables if table != _META]

    async def _check(self, new: Database, table: str) -> None:
        """:raises Damaged: the new one has not as many records of a table as the old one"""
        if await count(new, table) != await count(self._database, table):
            raise Damaged(f"not all records of {table} can be copied")


def _next_size(size: int, page: Sequence[Row]) -> int:
    """How many records the next page has, from what this one had."""
    held = sum(len(value) for row in page for value in row.values() if isinstance(value, str))
    return max(1, min(_PIECE, 2 * size, _PIECE_BYTES * len(page) // (held + 1)))


def _pieces(ids: set[str], size: int) -> Iterator[list[RecordID]]:
    """Ids of records of runs, so many at once."""
    ordered = [RecordID(execution_rows.TABLE, id) for id in sorted(ids)]
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


async def _put(database: Database, table: str, rows: Sequence[Row]) -> None:
    # The name is one that the database itself told.
    await database.write(f"INSERT INTO `{table}` $rows RETURN NONE", rows=rows)


def _give_back_memory() -> None:
    """Have the allocator return to the system what the closed engine had; glibc keeps it
    otherwise."""
    with suppress(AttributeError, OSError):  # it is another C library
        ctypes.CDLL(None).malloc_trim(0)
