"""The records of runs, and what callers used."""

from collections.abc import Callable, Iterable, Sequence
from time import time
from typing import Any

from surrealdb import RecordID

from soulbox_core.store import execution_rows, usage
from soulbox_core.store.database import Damaged, Database, Refused, id_of, rows_of, storable
from soulbox_core.store.execution_rows import execution_of
from soulbox_core.store.listing import accepted_before, belongs, listing
from soulbox_core.store.records import Execution, ExecutionQuery, UsageOfDay
from soulbox_core.store.replicas import Replicas
from soulbox_core.store.room import Room

BATCH = "batch"
"""Table of the batches that are kept already."""

_PIECE = 1000
"""Records that are dropped at one stroke."""
_REMEMBERED_SECONDS = 86400.0
"""How long a batch is known. One that comes again after that, such as from the disk of a node that
was away, is still known by its records for as long as these are kept."""

_ADD = """
    BEGIN;
    DELETE $torn RETURN NONE;
    IF array::len($rows) > 0 { INSERT INTO execution $rows RETURN NONE };
    FOR $day IN $usage {
        LET $id = $day.id;
        LET $again = $id.batch == $name;
        UPSERT $id SET
            caller = $day.caller,
            day = $day.day,
            node = $day.node,
            runs = (runs ?? 0) + IF $again { 0 } ELSE { $day.runs },
            ok = (ok ?? 0) + IF $again { 0 } ELSE { $day.ok },
            cpu_seconds = (cpu_seconds ?? 0f) + IF $again { 0f } ELSE { $day.cpu_seconds },
            wall_seconds = (wall_seconds ?? 0f) + IF $again { 0f } ELSE { $day.wall_seconds },
            batch = $name
            RETURN NONE
    };
    CREATE $batch SET kept_at = $now RETURN NONE;
    COMMIT;
"""
"""The engine that is part of this process does not notice when the end of what it writes for a
transaction is cut off, by a disk that is full or a power cut: what came before is there then. So
the batch comes last, and each record says which batch it came with: who writes it again knows what
is there, and what was counted."""
_DROP = """
    LET $found = (SELECT VALUE id FROM $range WHERE created_at < $before LIMIT $piece);
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


class SurrealExecutions:
    """`Executions` in a database and its replicas.

    :param clock: seconds since the epoch
    :param room: is told what comes and goes
    """

    def __init__(
        self,
        database: Database,
        replicas: Replicas,
        clock: Callable[[], float] = time,
        room: Room | None = None,
    ) -> None:
        self._database = database
        self._replicas = replicas
        self._clock = clock
        self._room = room

    async def add(self, batch: str, executions: Sequence[Execution]) -> None:
        executions = tuple({each.id: each for each in executions}.values())
        if not executions:
            return
        try:
            await self._add(batch, executions)
        except Refused:
            if await self._is_known(batch):
                return
            held = await self._batches_of(each.id for each in executions)
            if not held:
                raise
            # Some came with another batch: they are not counted again, and do not keep the others
            # out for ever. Others came with this one, of which the rest was cut off, and maybe
            # what the last of them is found by.
            ours = [each for each in executions if held.get(each.id, batch) == batch]
            await self._add(batch, ours, torn=[each.id for each in ours if each.id in held])

    async def execution(self, id: str) -> Execution | None:
        def one(answer: Any) -> Execution | None:
            for row in rows_of(answer):
                found = execution_of(row)
                if found.id != id:
                    raise Damaged("the database answered with another record")
                return found
            return None

        query = "SELECT id, body, content FROM $id"
        record = RecordID(execution_rows.TABLE, storable(id))
        found = await self._replicas.read(one, query, id=record)
        if found is None and self._replicas:  # they may not have it yet
            return await self._replicas.read_primary(one, query, id=record)
        return found

    async def executions(self, query: ExecutionQuery) -> tuple[Execution, ...]:
        def listed(answer: Any) -> tuple[Execution, ...]:
            found = tuple(execution_of(row) for row in rows_of(answer))
            for each in found:
                if not belongs(each, query):
                    raise Damaged(f"the record Execution {each.id} is not where it belongs")
            ids = [each.id for each in found]
            if ids != sorted(set(ids), reverse=True):
                raise Damaged("the database's list is not in order")
            return found

        asked = listing(query)
        return await self._replicas.read(listed, asked.query, **asked.values)

    async def usage(self, caller: str, since: str, until: str) -> tuple[UsageOfDay, ...]:
        def days(answer: Any) -> tuple[UsageOfDay, ...]:
            found = tuple(usage.usage_in(row) for row in rows_of(answer))
            for each in found:
                if each.caller != storable(caller) or not since <= each.day <= until:
                    raise Damaged(f"the record Usage {each.day} is not where it belongs")
            return usage.by_day(caller, found)

        asked = usage.days_of(caller, since, until)
        return await self._replicas.read(days, "SELECT * FROM $days", days=asked)

    async def forget(self, before: float) -> int:
        dropped = await self._drop(_DROP, before, range=accepted_before(before))
        batches = await self._drop(_DROP_BATCHES, self._clock() - _REMEMBERED_SECONDS)
        if self._room is not None:
            self._room.dropped(records=dropped, batches=batches)
        return dropped

    async def _add(
        self, batch: str, executions: Sequence[Execution], torn: Iterable[str] = ()
    ) -> None:
        """Keep a batch.

        :param torn: ids of those that are there already, and are written again
        """
        await self._database.write(
            _ADD,
            name=batch,
            batch=RecordID(BATCH, batch),
            now=self._clock(),
            rows=[execution_rows.row_of(each) | {"batch": batch} for each in executions],
            usage=[usage.row_of(each) for each in usage.usage_of(executions)],
            torn=[RecordID(execution_rows.TABLE, id) for id in torn],
        )
        if self._room is not None:
            self._room.added(len(executions))

    async def _is_known(self, batch: str) -> bool:
        record = RecordID(BATCH, batch)
        found = await self._database.ask("SELECT VALUE id FROM $id", id=record)
        return isinstance(found, list) and found == [record]

    async def _batches_of(self, ids: Iterable[str]) -> dict[str, str | None]:
        """Those of which there is a record, and the batch that it came with."""
        records = [RecordID(execution_rows.TABLE, id) for id in ids]
        found = await self._database.ask("SELECT id, batch FROM $ids", ids=records)
        return {id_of(row): row.get("batch") for row in rows_of(found)}

    async def _drop(self, query: str, before: float, **values: Any) -> int:
        """Drop in pieces, between which others have their turn; how many."""
        dropped = 0
        while True:
            count = await self._database.write(query, before=before, piece=_PIECE, **values)
            if not isinstance(count, int):
                raise Damaged("the database's count is none")
            dropped += count
            if count < _PIECE:
                return dropped
