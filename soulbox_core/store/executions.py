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
    CREATE $batch SET kept_at = $now RETURN NONE;
    INSERT INTO execution $rows RETURN NONE;
    FOR $day IN $usage {
        LET $id = $day.id;
        UPSERT $id SET
            caller = $day.caller,
            day = $day.day,
            node = $day.node,
            runs = (runs ?? 0) + $day.runs,
            ok = (ok ?? 0) + $day.ok,
            cpu_seconds = (cpu_seconds ?? 0f) + $day.cpu_seconds,
            wall_seconds = (wall_seconds ?? 0f) + $day.wall_seconds
            RETURN NONE
    };
    COMMIT;
"""
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
        left = {each.id: each for each in executions}
        while left:
            try:
                await self._add(batch, tuple(left.values()))
            except Refused:
                if await self._is_known(batch):
                    return
                # A record may have come with another batch: it is not counted again, and does not
                # keep the others out for ever.
                known = await self._known(left.keys())
                if not known:
                    raise
                left = {id: each for id, each in left.items() if id not in known}
            else:
                return

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

    async def _add(self, batch: str, executions: Sequence[Execution]) -> None:
        await self._database.write(
            _ADD,
            batch=RecordID(BATCH, batch),
            now=self._clock(),
            rows=[execution_rows.row_of(each) for each in executions],
            usage=[usage.row_of(each) for each in usage.usage_of(executions)],
        )
        if self._room is not None:
            self._room.added(len(executions))

    async def _is_known(self, batch: str) -> bool:
        record = RecordID(BATCH, batch)
        found = await self._database.ask("SELECT VALUE id FROM $id", id=record)
        return isinstance(found, list) and found == [record]

    async def _known(self, ids: Iterable[str]) -> set[str]:
        """Those of which there is a record."""
        records = [RecordID(execution_rows.TABLE, id) for id in ids]
        found = await self._database.ask("SELECT id FROM $ids", ids=records)
        return {id_of(row) for row in rows_of(found)}

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
