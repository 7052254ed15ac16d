"""SurrealDB's engine on one directory of this process."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from surrealdb import AsyncSurreal
from surrealdb.errors import SurrealError
from surrealdb.request_message.message import RequestMessage
from surrealdb.request_message.methods import RequestMethod

from soulbox_core.errors import StoreFailed
from soulbox_core.store.database import result_of

_NAMESPACE = "soulbox"
_FAILURES = (SurrealError, RuntimeError, OSError, ValueError)
"""What the client raises."""
_SLEEP = "RETURN sleep(10s)"
_BEGUN_SECONDS = 0.05
"""In which a query is begun."""


class Engine:
    """An engine that is open. It holds its whole index in memory until it is closed."""

    def __init__(self, connection: Any, path: Path) -> None:
        self.path = path
        """Where its files are."""
        self._connection = connection
        self._asked = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def ask(self, query: str, values: dict[str, Any]) -> Any:
        """The result of the last statement.

        :raises StoreFailed: it failed
        :raises Refused: a statement failed
        """
        self._asked += 1
        self._idle.clear()
        try:
            answer = await self._connection.query_raw(query, values)
        except _FAILURES as error:
            raise StoreFailed(f"the database failed: {type(error).__name__}") from error
        finally:
            self._asked -= 1
            if not self._asked:
                self._idle.set()
        return result_of(answer)

    async def close(self) -> None:
        """Close it when nobody waits for an answer of it."""
        await self._idle.wait()
        connection, self._connection = self._connection, None
        await connection.close()

    async def let_go(self) -> None:
        """Have it closed soon, without holding up the event loop.

        To free a large index takes a tenth of a second and more, and who gives up the last
        reference to it does that. It is a thread of the engine's own that does when a query is
        under way which is then broken off. The client has no public name for that.
        """
        await self._idle.wait()
        connection, self._connection = self._connection, None
        request = RequestMessage(RequestMethod.QUERY, query=_SLEEP, params={})
        with suppress(AttributeError):  # another client, which is closed where it is given up
            engine = connection._db
            del connection
            asleep = engine.execute(request.WS_CBOR_DESCRIPTOR)
            await asyncio.sleep(_BEGUN_SECONDS)
            del engine
            asleep.cancel()


async def open_engine(path: Path) -> Engine:
    """Open the engine on a directory, which is made if it is not there.

    :raises StoreFailed: it cannot be opened
    """
    # The engine has no other way to be told to wait for the disk at each commit, and reads this
    # when the first one of a process is opened.
    os.environ.setdefault("SURREAL_SYNC_DATA", "true")
    try:
        connection: Any = AsyncSurreal(f"surrealkv://{path}")
        await connection.connect()
        await connection.use(_NAMESPACE, _NAMESPACE)
    except _FAILURES as error:
        raise StoreFailed(str(error)) from error
    return Engine(connection, path)
