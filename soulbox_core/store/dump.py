"""Everything that is kept, as plain values."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from surrealdb import RecordID

from soulbox_core.errors import InvalidRequest
from soulbox_core.model import Value
from soulbox_core.store import execution_rows, usage
from soulbox_core.store.database import Database, checked
from soulbox_core.store.executions import BATCH
from soulbox_core.store.pages import pages
from soulbox_core.store.records import ApiKey, Execution, Family

_PIECE = 1000


class _Batch(Value):
    """A batch of records that was kept."""

    id: str
    kept_at: float


class _Table(NamedTuple):
    """How a table's records become values, and how they are kept."""

    kind: type[Value]
    value: Callable[[Mapping[str, Any]], Value]
    row: Callable[[Any], dict[str, Any]]
    id: Callable[[Any], Any]


def _plainly(table: str, kind: type[Value]) -> _Table:
    """For records that are kept value by value."""

    def row(value: Any) -> dict[str, Any]:
        return {**msgspec.to_builtins(value), "id": RecordID(table, value.id)}

    return _Table(kind, lambda found: checked(kind, found), row, lambda value: value.id)


_TABLES = {
    "api_key": _plainly("api_key", ApiKey),
    "family": _plainly("family", Family),
    BATCH: _plainly(BATCH, _Batch),
    usage.TABLE: _Table(usage.UsageOfNode, usage.usage_in, usage.row_of, usage.key_of),
    execution_rows.TABLE: _Table(
        Execution, execution_rows.execution_of, execution_rows.row_of, lambda value: value.id
    ),
}


class SurrealDump:
    """`Dump` of a database: the primary."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self) -> AsyncIterator[tuple[str, dict[str, object]]]:
        for name, table in _TABLES.items():
            async for page in pages(self._database, name, _PIECE):
                for row in page:
                    value = table.value(row)
                    yield name, {**msgspec.to_builtins(value), "id": table.id(value)}

    async def put(self, table: str, rows: Sequence[dict[str, object]]) -> None:
        if table not in _TABLES:
            raise InvalidRequest(f"no table {table!r}; known: {', '.join(_TABLES)}")
        kept = [_row(_TABLES[table], table, row) for row in rows]
        for start in range(0, len(kept), _PIECE):
            piece = kept[start : start + _PIECE]
            await self._database.write(
                f"BEGIN; DELETE $ids RETURN NONE; INSERT INTO {table} $rows RETURN NONE; COMMIT;",
                ids=[row["id"] for row in piece],
                rows=piece,
            )


def _row(table: _Table, name: str, row: dict[str, object]) -> dict[str, Any]:
    """A record as it is kept.

    :raises InvalidRequest: it is not what the table holds
    """
    unknown = row.keys() - {"id", *table.kind.__struct_fields__}
    if unknown:
        raise InvalidRequest(f"a record of {name} has {sorted(unknown)}, which is not known here")
    try:
        value = msgspec.convert(row, table.kind)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"a record of {name} is none: {error}") from None
    if row.get("id") != table.id(value):
        raise InvalidRequest(f"a record of {name} has the id of another one")
    return table.row(value)
