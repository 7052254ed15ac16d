"""A database that is asked and written to, whichever it is, and how far its answers are trusted."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec
from surrealdb import RecordID

from soulbox_core.errors import StoreFailed
from soulbox_core.model import Value

_OK = "OK"
_CONFLICT = "can be retried"
"""What the engine says of a transaction that met with another one."""
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25
_UNSTORABLE = re.compile("[\x00\x01\ud800-\udfff]")
_TOLD = 300
"""Most that is told of the database's own words."""

Record = TypeVar("Record", bound=Value)
T = TypeVar("T")


class Damaged(StoreFailed):
    """An answer is not what an answer is, or a record in it is not what was kept."""


class Refused(StoreFailed):
    """The database did not do what it was told: nothing has changed."""


class Conflict(Refused):
    """For another one that was made at the same time."""


class Database(Protocol):
    """One that answers. Values never become part of a query's text.

    :raises StoreFailed: from both methods: it is not there, or failed
    :raises Refused: from both methods: a statement failed, and with it its transaction
    """

    async def ask(self, query: str, **values: Any) -> Any:
        """The result of the last statement."""

    async def write(self, query: str, **values: Any) -> Any:
        """The same for a query that changes something; made again if it met with another one's."""


def result_of(answer: Any) -> Any:
    """The result of the last statement.

    :raises Refused: any of them failed
    :raises Damaged: it is no answer
    """
    statements = answer.get("result") if isinstance(answer, Mapping) else None
    if not isinstance(statements, list) or not statements:
        raise Damaged("the database did not understand, or is not understood")
    for statement in statements:
        if not isinstance(statement, Mapping) or not {"status", "result"} <= statement.keys():
            raise Damaged("the database's answer is damaged")
        if statement["status"] != _OK:
            told = str(statement["result"])
            kind = Conflict if _CONFLICT in told else Refused
            raise kind(f"the database refused: {told[:_TOLD]}")
    return statements[-1]["result"]


async def persistently(write: Callable[[], Awaitable[T]]) -> T:
    """Make a write again for as long as it meets with others, which it should not for long.

    :raises Conflict: it does all the same
    """
    pause = _PAUSE_SECONDS
    for _ in range(_ATTEMPTS - 1):
        try:
            return await write()
        except Conflict:
            # At random, so that those that met do not meet again.
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311, no secret
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return await write()


def storable(text: str) -> str:
    """A text as what records are found by: the engine's keys end at a NUL, and its messages have no
    half of a character. No two texts become the same."""
    return _UNSTORABLE.sub(lambda match: f"\x01{ord(match[0]):04x}", text)


def rows_of(answer: Any) -> list[Mapping[str, Any]]:
    """The records that a query found.

    :raises Damaged: it is no list of records
    """
    if answer is None:
        return []
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) for row in answer):
        raise Damaged("the database's answer is no list of records")
    return answer


def id_of(row: Mapping[str, Any]) -> Any:
    """A record's id, without its table's name; None if it has none."""
    id = row.get("id")
    return id.id if isinstance(id, RecordID) else None


def checked(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """A record as it was put there.

    :raises Damaged: it is not
    """
    id = id_of(row)
    plain = {**row, "id": None if id is None else str(id)}
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        name = f"{kind.__name__} {plain['id']}"
        raise Damaged(f"the record {name} is damaged: {error}") from None
