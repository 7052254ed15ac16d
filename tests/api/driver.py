"""An ASGI server as small as can be, to see each message and to hang up at will."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Message

Headers = list[tuple[bytes, bytes]]


class Connection:
    """One request or WebSocket: `async with`, then take what the application sends.

    :param room: messages that the application can send before the client takes one; 0: any
    """

    def __init__(self, app: ASGIApp, scope: dict[str, Any], room: int) -> None:
        self._app = app
        self._scope = {"asgi": {"version": "3.0"}, "query_string": b"", "root_path": ""} | scope
        if b"host" not in dict(self._scope["headers"]):
            self._scope["headers"] = [(b"host", b"localhost"), *self._scope["headers"]]
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue(room)

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))

    async def _serve(self) -> None:
        await self._app(self._scope, self._to_app.get, self._from_app.put)
        self.hang_up()

    def hang_up(self) -> None:
        """Be gone, as the server also says when the application is over."""
        kind = "http" if self._scope["type"] == "http" else "websocket"
        self._to_app.put_nowait({"type": f"{kind}.disconnect"})

    async def take(self) -> Message:
        """The application's next message."""
        return await asyncio.wait_for(self._from_app.get(), 5)

    async def over(self) -> None:
        """Wait for the application to end by itself, without an error."""
        await asyncio.wait_for(asyncio.shield(self.task), 5)

    def taken(self) -> bool:
        """Whether the application took all that the client sent."""
        return self._to_app.empty()

    def silent(self) -> bool:
        """Whether the application sent no more than was taken."""
        return self._from_app.empty()


class Request(Connection):
    """An HTTP request."""

    def __init__(
        self, app: ASGIApp, method: str, path: str, *, headers: Headers | None = None, room: int = 0
    ) -> None:
        scope = {"type": "http", "http_version": "1.1", "method": method, "path": path}
        super().__init__(app, scope | {"headers": headers or []}, room)

    def send(self, body: bytes, *, more: bool = False) -> None:
        self._to_app.put_nowait({"type": "http.request", "body": body, "more_body": more})


class Socket(Connection):
    """A WebSocket."""

    def __init__(
        self, app: ASGIApp, path: str, *, headers: Headers | None = None, room: int = 0
    ) -> None:
        scope = {
            "type": "websocket",
            "path": path,
            "headers": headers or [],
            "extensions": {"websocket.http.response": {}},
        }
        super().__init__(app, scope, room)
        self._to_app.put_nowait({"type": "websocket.connect"})

    def send(self, message: Any) -> None:
        """Send JSON, text as it is, or bytes."""
        sent = message if isinstance(message, str | bytes) else json.dumps(message)
        kind = "bytes" if isinstance(sent, bytes) else "text"
        other = "text" if kind == "bytes" else "bytes"
        self._to_app.put_nowait({"type": "websocket.receive", kind: sent, other: None})

    async def event(self) -> dict[str, Any]:
        """The next event."""
        message = await self.take()
        assert message["type"] == "websocket.send", message
        event: dict[str, Any] = json.loads(message["text"])
        return event
