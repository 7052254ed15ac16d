"""From the record of a run to what the database holds of it, and back.

The record is one JSON text, since to the client each value of its own costs time on the event
loop: kept value by value, it took twice as long to write, and three times to read. Beside it stands
what is searched by.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from surrealdb import RecordID

from soulbox_core.store.database import Damaged, id_of, storable
from soulbox_core.store.records import Content, Execution

TABLE = "execution"

_HEX = str.maketrans("0123456789abcdef", "fedcba9876543210")


def place_of(id: str) -> str:
    """Where a run stands among others when the newest is first.

    The engine walks an index upwards only, so that this is what its id lacks of the greatest id.

    :param id: the run's, or the beginning of one
    """
    return id.replace("-", "").translate(_HEX)


def row_of(execution: Execution) -> dict[str, Any]:
    """What is kept of a record."""
    row = {
        "id": RecordID(TABLE, execution.id),
        "place": place_of(execution.id),
        "caller": storable(execution.caller),
        "language": storable(execution.language),
        "status": str(execution.status),
        "created_at": execution.created_at,
    }
    if execution.content is not None:
        row["content"] = msgspec.json.encode(execution.content).decode()
        execution = msgspec.structs.replace(execution, content=None)
    row["body"] = msgspec.json.encode(execution).decode()
    return row


def execution_of(row: Mapping[str, Any]) -> Execution:
    """The record, with its content if that was asked for.

    :raises Damaged: it is not what was kept
    """
    id = id_of(row)
    try:
        execution = msgspec.json.decode(row["body"], type=Execution)
        if (content := row.get("content")) is not None:
            content = msgspec.json.decode(content, type=Content)
            execution = msgspec.structs.replace(execution, content=content)
    except (msgspec.MsgspecError, KeyError, TypeError, UnicodeError) as error:
        raise Damaged(f"the record Execution {id} is damaged: {error}") from None
    if execution.id != id:
        raise Damaged(f"the record Execution {id} is damaged: it is that of another run")
    return execution
