"""All records of a table, so many at once as are not much to carry."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from surrealdb import RecordID
from surrealdb.data.types.range import BoundExcluded, BoundIncluded, Range

from soulbox_core.store.database import Damaged, Database, id_of, rows_of

Row = Mapping[str, Any]


async def pages(
    database: Database,
    table: str,
    size: int,
    next_size: Callable[[int, Sequence[Row]], int] = lambda size, _: size,
) -> AsyncIterator[Sequence[Row]]:
    """The records of a table in the order of their ids.

    :param size: how many the first page has
    :param next_size: how many the next page has, from how many one should have, and what it had
    :raises StoreFailed: the database failed
    """
    after: Any = None
    while True:
        found = rows_of(
            await database.ask(
                "SELECT * FROM $range LIMIT $size", range=behind(table, after), size=size
            )
        )
        if found:
            yield found
        if len(found) < size:
            return
        after = id_of(found[-1])
        if after is None:
            raise Damaged(f"a record of {table} has no id")
        size = next_size(size, found)


def behind(table: str, id: Any) -> RecordID:
    """The records of a table, or those that follow one. Texts come first, then lists, and objects
    last, which no record of ours has for an id.

    :param id: of the one that they follow, if any
    """
    begin = BoundIncluded("") if id is None else BoundExcluded(id)
    return RecordID(table, Range(begin, BoundExcluded({})))
