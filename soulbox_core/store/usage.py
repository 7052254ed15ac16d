"""What callers used, by day and node.

Each node counts in records of its own, so that nodes never wait for one another, and nothing is
lost on an engine that misses when two of them change one record.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from surrealdb import RecordID
from surrealdb.data.types.range import BoundExcluded, BoundIncluded, Range

from soulbox_core.model import Status
from soulbox_core.store.database import Damaged, id_of, storable
from soulbox_core.store.records import Execution, UsageOfDay

TABLE = "usage"

_AFTER = "~"
"""Follows everything that a day may go on with."""


class UsageOfNode(UsageOfDay):
    """What a caller used on a day on one node; both as what records are found by."""

    node: str


def usage_of(executions: Iterable[Execution]) -> tuple[UsageOfNode, ...]:
    """What runs used."""
    found: dict[tuple[str, str, str], list[Execution]] = {}
    for each in executions:
        key = (storable(each.caller), _day(each.created_at), storable(each.node))
        found.setdefault(key, []).append(each)
    return tuple(
        UsageOfNode(
            caller=caller,
            day=day,
            node=node,
            runs=len(runs),
            ok=sum(run.status == Status.OK for run in runs),
            cpu_seconds=sum(run.charged_cpu_seconds for run in runs),
            wall_seconds=sum(run.usage.wall_seconds for run in runs if run.usage),
        )
        for (caller, day, node), runs in found.items()
    )


def by_day(caller: str, usages: Iterable[UsageOfNode]) -> tuple[UsageOfDay, ...]:
    """That of all nodes together; the days in order.

    :param caller: whose all of them are
    """
    found: dict[str, list[UsageOfNode]] = {}
    for each in usages:
        found.setdefault(each.day, []).append(each)
    return tuple(
        UsageOfDay(
            caller=caller,
            day=day,
            runs=sum(node.runs for node in nodes),
            ok=sum(node.ok for node in nodes),
            cpu_seconds=sum(node.cpu_seconds for node in nodes),
            wall_seconds=sum(node.wall_seconds for node in nodes),
        )
        for day, nodes in sorted(found.items())
    )


def days_of(caller: str, since: str, until: str) -> RecordID:
    """The records of a caller's days, both included."""
    # Bounds of fewer parts than the ids would find nothing.
    name = storable(caller)
    begin, end = [name, since, ""], [name, until + _AFTER, ""]
    return RecordID(TABLE, Range(BoundIncluded(begin), BoundExcluded(end)))


def key_of(usage: UsageOfNode) -> list[str]:
    """The id of its record."""
    return [usage.caller, usage.day, usage.node]


def row_of(usage: UsageOfNode) -> dict[str, Any]:
    """What is kept of it."""
    return {"id": RecordID(TABLE, key_of(usage)), **msgspec.to_builtins(usage)}


def usage_in(row: Mapping[str, Any]) -> UsageOfNode:
    """What was kept.

    :raises Damaged: it is not
    """
    id = id_of(row)
    try:
        usage = msgspec.convert(row, UsageOfNode)
    except msgspec.ValidationError as error:
        raise Damaged(f"the record Usage {id} is damaged: {error}") from None
    if id != key_of(usage):
        raise Damaged(f"the record Usage {id} is damaged: it is that of another day")
    return usage


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
