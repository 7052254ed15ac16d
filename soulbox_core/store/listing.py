"""From what is asked for to a query that walks one index, from the newest on, and stops in time."""

from typing import Any, NamedTuple

from surrealdb import RecordID
from surrealdb.data.types.range import BoundExcluded, BoundIncluded, Range

from soulbox_core.store.database import storable
from soulbox_core.store.execution_rows import TABLE, place_of
from soulbox_core.store.records import Execution, ExecutionQuery

_LATE_SECONDS = 1.0
"""Longest from when a run is accepted to when its id is made, or the other way round."""
_LAST_MILLISECOND = (1 << 48) - 1
"""Of those that an id can tell."""
_AFTER_ALL = "g"
"""Follows every hexadecimal digit."""


class Listing(NamedTuple):
    """A query and its values."""

    query: str
    values: dict[str, Any]


def listing(asked: ExecutionQuery) -> Listing:
    """The query for a list of records.

    Nothing is sorted: in an index the records of one caller, language and status stand in the
    order of their places. `ORDER BY` would have all of them read and sorted first.
    """
    name, conditions = "execution", ["caller = $caller"]
    values: dict[str, Any] = {"caller": storable(asked.caller), "limit": asked.limit}
    if asked.language is not None:
        name += "_language"
        conditions.append("language = $language")
        values["language"] = storable(asked.language)
    if asked.status is not None:
        name += "_status"
        conditions.append("status = $status")
        values["status"] = str(asked.status)
    after, end = "", _AFTER_ALL
    if asked.before is not None:
        after = place_of(storable(asked.before))
    if asked.until is not None:
        after = max(after, place_of(_beginning(asked.until + _LATE_SECONDS)))
        conditions.append("created_at < $until")
        values["until"] = asked.until
    if asked.since is not None:
        end = place_of(_beginning(asked.since - _LATE_SECONDS)) + _AFTER_ALL
        conditions.append("created_at >= $since")
        values["since"] = asked.since
    conditions.append("place > $after AND place < $end")
    values |= {"after": after, "end": end}
    index = "execution_caller" if name == "execution" else name
    which = " AND ".join(conditions)
    # Nothing but names and conditions of ours is in the text.
    query = f"SELECT id, body FROM execution WITH INDEX {index} WHERE {which} LIMIT $limit"  # noqa: S608, of names of ours
    return Listing(query, values)


def belongs(execution: Execution, asked: ExecutionQuery) -> bool:
    """Whether a record is one of those that are asked for."""
    return (
        execution.caller == asked.caller
        and asked.language in (None, execution.language)
        and asked.status in (None, execution.status)
        and (asked.since is None or execution.created_at >= asked.since)
        and (asked.until is None or execution.created_at < asked.until)
        and (asked.before is None or execution.id < asked.before)
    )


def accepted_before(at: float) -> RecordID:
    """The records of all runs that were accepted before a time, and few others."""
    end = _beginning(at + _LATE_SECONDS)
    return RecordID(TABLE, Range(BoundIncluded(""), BoundExcluded(f"{end[:8]}-{end[8:]}")))


def _beginning(at: float) -> str:
    """How the ids begin that are made at a time."""
    milliseconds = min(max(0.0, at * 1000), _LAST_MILLISECOND)
    return f"{int(milliseconds):012x}"
