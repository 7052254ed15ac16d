"""SurrealDB on a server: a connection that is made again when it is gone."""

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

from surrealdb import AsyncSurreal
from surrealdb.errors import ServerError, SurrealError
from websockets.exceptions import WebSocketException

from soulbox_core.errors import SettingsError, StoreFailed
from soulbox_core.remote.address import is_address
from soulbox_core.settings import Database as Settings
from soulbox_core.store.database import persistently, result_of

logger = logging.getLogger(__name__)

_SCHEMES = frozenset(("ws", "wss"))
_PAUSE_SECONDS = 1.0
"""From a connection that could not be made to the next attempt."""
_PATIENCE_SECONDS = 0.5
"""Longest that a call waits for a connection to be made again."""
_CLOSING_SECONDS = 1.0
_FAILURES = (SurrealError, WebSocketException, RuntimeError, OSError, ValueError, KeyError)
"""What the client raises, a malformed answer included."""


class Server:
    """`Database` at an address.

    :param url: of the scheme ws or wss
    :raises SettingsError: it is not
    """

    def __init__(self, url: str, settings: Settings) -> None:
        if not is_address(url, _SCHEMES):
            raise SettingsError(
                f"database: {_shown(url)} is no address of a SurrealDB server; write it as"
                " wss://db.example.org/rpc"
            )
        self.name = _shown(url)
        """Its address, without what nobody should read."""
        self._url = url
        self._settings = settings
        self._connection: Any = None
        self._attempt: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._heard_at = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()
        self.answered = False
        """Whether it did when it was last asked."""
        self.failures = 0
        """Times that it was asked and did not answer, or not so that it was understood."""

    async def connect(self) -> None:
        """Connect, sign in and choose the database.

        :raises StoreFailed: it cannot be reached, does not know us, or is not understood
        """
        try:
            async with asyncio.timeout(self._settings.seconds):
                await self._shared_attempt()
        except TimeoutError:
            raise StoreFailed(f"{self.name} does not answer") from None

    async def close(self) -> None:
        """Be done with it."""
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait([self._attempt])
        self._drop(self._connection)
        if self._closing:
            await asyncio.wait(self._closing)

    async def ask(self, query: str, **values: Any) -> Any:
        try:
            answer = await self._answer(query, values)
        except StoreFailed:
            self.answered = False
            self.failures += 1
            raise
        self.answered = True
        return result_of(answer)

    async def write(self, query: str, **values: Any) -> Any:
        try:
            # Those before this one in the queue may hang as well, so it is part of the time.
            async with asyncio.timeout(2 * self._settings.seconds), self._writing:
                return await persistently(lambda: self.ask(query, **values))
        except TimeoutError:
            raise StoreFailed(f"{self.name} does not answer in time") from None

    async def _answer(self, query: str, values: dict[str, Any]) -> Any:
        connection = await self._connected()
        began = _now()
        try:
            async with asyncio.timeout(self._settings.seconds):
                answer = await connection.query_raw(query, values)
        except TimeoutError:
            if self._heard_at < began:  # it is not this query that is slow
                self._drop(connection)
            raise StoreFailed(f"{self.name} does not answer") from None
        except asyncio.CancelledError:
            # The client cancels those who wait for an answer when the connection is gone.
            if _cancelled():
                raise
            self._drop(connection)
            raise StoreFailed(f"{self.name} hung up, or is not understood") from None
        except _FAILURES as error:
            self._drop(connection)
            raise StoreFailed(f"{self.name} failed: {type(error).__name__}") from error
        self._heard_at = _now()
        return answer

    async def _connected(self) -> Any:
        """A connection, if there is one or there soon is.

        :raises StoreFailed: there is none
        """
        if self._connection is not None and self._connection.recv_task.done():
            self._drop(self._connection)
        if self._connection is None:
            if self._attempt is None and _now() < self._not_before:
                raise StoreFailed(f"{self.name} cannot be reached")
            try:
                async with asyncio.timeout(min(_PATIENCE_SECONDS, self._settings.seconds)):
                    await self._shared_attempt()
            except TimeoutError:
                raise StoreFailed(f"{self.name} cannot be reached so far") from None
        if self._connection is None:  # gone again already
            raise StoreFailed(f"{self.name} hung up")
        return self._connection

    async def _shared_attempt(self) -> None:
        """Wait for the attempt to connect that is under way, or begun now. It goes on when
        nobody waits for it any more."""
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._connect())
            self._attempt.add_done_callback(self._attempted)
        await asyncio.shield(self._attempt)

    def _attempted(self, attempt: asyncio.Task[None]) -> None:
        self._attempt = None
        error = None if attempt.cancelled() else attempt.exception()
        if error is not None:
            self._not_before = _now() + _PAUSE_SECONDS
            if self.answered:
                logger.warning("database: %s", error)
            self.answered = False

    async def _connect(self) -> None:
        connection: Any = AsyncSurreal(self._url)
        try:
            async with asyncio.timeout(self._settings.seconds):
                await connection.connect()
                await self._sign_in(connection)
                await connection.use(self._settings.namespace, self._settings.name)
        except TimeoutError:
            self._close(connection)
            raise StoreFailed(f"{self.name} does not answer") from None
        except asyncio.CancelledError:
            self._close(connection)
            if _cancelled():
                raise
            raise StoreFailed(f"{self.name} hung up, or is not understood") from None
        except ServerError as error:
            self._close(connection)
            raise StoreFailed(f"{self.name} refused us: {error}") from None
        except _FAILURES as error:
            self._close(connection)
            raise StoreFailed(f"{self.name} cannot be reached: {type(error).__name__}") from error
        self._connection = connection
        self.answered = True

    async def _sign_in(self, connection: Any) -> None:
        """As a user of the database alone, or else of the whole server."""
        settings = self._settings
        if not settings.user:
            return
        credentials = {"username": settings.user, "password": settings.password}
        scope = {"namespace": settings.namespace, "database": settings.name}
        try:
            await connection.signin(scope | credentials)
        except ServerError:
            await connection.signin(credentials)

    def _drop(self, connection: Any) -> None:
        """Be without a connection, if it is still that one."""
        if connection is not None and connection is self._connection:
            self._connection = None
            self._close(connection)

    def _close(self, connection: Any) -> None:
        """Without waiting for it: who is at the other end may be gone."""
        task = asyncio.create_task(_closed(connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(connection: Any) -> None:
    socket = connection.socket
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await connection.close()
    except TimeoutError:
        socket.transport.abort()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _cancelled() -> bool:
    """Whether it is this task that was cancelled, rather than what it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _shown(url: str) -> str:
    """An address without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
