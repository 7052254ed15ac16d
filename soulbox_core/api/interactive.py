"""WebSocket /v1/run/{language}: a run with its stdin open.

The client's first message is the JSON request; the next ones feed stdin: binary, or
`{"stdin": ...}`, and `{"eof": true}` to end it. The service tells the events of a streamed run,
then closes: 1000 after `result`; after `error` 1008 (the request's fault), 1011 (ours) or
1013 (try again later).
"""

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from sys import getsizeof

import msgspec
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from soulbox_core.api.cors import Origins
from soulbox_core.api.events import Teller, error_event
from soulbox_core.api.guard import caller_of
from soulbox_core.api.hold import Hold, Share
from soulbox_core.api.ports import Catalog, Runs
from soulbox_core.api.problems import REFUSAL, REQUEST_ID, report
from soulbox_core.api.requests import Asked, RequestReader, check_live, client_message
from soulbox_core.api.stdin import Stdin
from soulbox_core.api.watch import Beside, ClientGone, until_gone
from soulbox_core.api.websocket import assembled_bytes, backlog_bytes
from soulbox_core.errors import Forbidden, InvalidRequest, TooLarge
from soulbox_core.model import Caller, Finished
from soulbox_core.settings import Settings

REQUEST_SECONDS = 30.0
"""Longest from the handshake to the request."""

_CLOSED_OK, _REFUSED, _FAILED, _TRY_LATER = 1000, 1008, 1011, 1013


class InteractiveEndpoint:
    """A plain ASGI application, told by its own error events from the handshake on."""

    def __init__(self, runs: Runs, catalog: Catalog, settings: Settings, hold: Hold) -> None:
        self._runs = runs
        self._catalog = catalog
        self._limits = settings.limits
        self._hold = hold
        self._reader = RequestReader(settings.server)
        self._message_bytes = settings.server.message_bytes
        self._origins = Origins(settings.server.cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        if any(name == b"idempotency-key" for name, _ in scope["headers"]):
            raise InvalidRequest(
                "a run with a live stdin cannot be repeated; leave it out", field="idempotency-key"
            )
        check_origin(scope["headers"], self._origins)
        with self._hold.share() as share:
            share.take(assembled_bytes(self._message_bytes))
            await send({"type": "websocket.accept"})
            await self._talk(scope, share, receive, send)

    async def _talk(self, scope: Scope, share: Share, receive: Receive, send: Send) -> None:
        talk = Talk(receive, send, self._message_bytes)
        try:
            await self._serve(scope, talk, share)
        except ClientGone:
            raise
        except Exception as error:
            # A border: after the handshake a failure can only be told as the last event.
            scope[REFUSAL] = report(error, scope[REQUEST_ID])
            event = error_event(error, scope[REQUEST_ID])
            with Beside(until_gone, receive):
                await talk.tell(written(event))
                await talk.close(_close_code(event.status), event.code)
        else:
            with Beside(until_gone, receive):
                await talk.close(_CLOSED_OK)

    async def _serve(self, scope: Scope, talk: "Talk", share: Share) -> None:
        body = await talk.request()
        share.take(len(body))
        language = self._catalog.language(scope["path_params"]["language"])
        asked = self._reader.json(body, language)
        check_live(asked.request)
        share.take(asked.output_bytes(self._limits))
        stdin = Stdin(asked.request.stdin, share, backlog_bytes(self._message_bytes))
        with Beside(talk.feed, stdin):
            # The last events are sent when the run is closed and its outcome gone.
            for text in await self._run(asked, caller_of(scope), stdin, talk, share):
                await talk.tell(text)

    async def _run(
        self, asked: Asked, caller: Caller, stdin: Stdin, talk: "Talk", share: Share
    ) -> list[str]:
        """Send all events but the last ones, which are returned as they are to be sent."""
        teller = Teller(asked.encoding)
        async with aclosing(self._runs.stream(asked.request, caller, aiter(stdin))) as events:
            async for event in events:
                if isinstance(event, Finished):
                    stdin.drop()
                    last = [written(told) for told in teller.tell(event)]
                    share.take(sum(map(_sent_bytes, last)))
                    return last
                for told in teller.tell(event):
                    await talk.tell(written(told))
        raise AssertionError("a run ends with Finished")


class Talk:
    """The two directions of one WebSocket.

    :param message_bytes: the largest message from the client, in bytes, or characters of text
    """

    def __init__(self, receive: Receive, send: Send, message_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._message_bytes = message_bytes

    async def request(self) -> bytes:
        """Wait for the client's first message.

        :raises InvalidRequest: it is not text
        """
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                message = await self._next()
        except TimeoutError:
            raise HTTPException(408, f"no request came within {REQUEST_SECONDS:g} s") from None
        if message.get("text") is None:
            raise InvalidRequest("the first message must be the request, as JSON text")
        body: bytes = message["text"].encode()
        return body

    async def feed(self, stdin: Stdin) -> None:
        """Pass on what the client sends, for as long as it is there.

        :raises ClientGone: it hung up
        :raises InvalidRequest: it sent what is no message of ours
        :raises Overloaded: there is no room in memory for input that has to wait
        """
        while True:
            message = await self._next()
            sent = message.get("bytes") or message.get("text") or b""
            piece, ends = client_message(sent) if isinstance(sent, str) else (sent, False)
            await stdin.feed(piece)
            if ends:
                stdin.end()

    async def tell(self, text: str) -> None:
        """Send an event.

        :raises ClientGone: the client takes nothing any more
        """
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int, reason: str = "") -> None:
        """Say that nothing more will come."""
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _next(self) -> Message:
        """The client's next message; the server holds it against its bound.

        :raises TooLarge: the server does not
        :raises ClientGone: it hung up
        """
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise ClientGone
        if len(message.get("bytes") or message.get("text") or b"") > self._message_bytes:
            raise TooLarge(f"a message may have {self._message_bytes} bytes")
        return message


def written(event: msgspec.Struct) -> str:
    """An event as the text of a message."""
    return msgspec.json.encode(event).decode()


def _sent_bytes(text: str) -> int:
    """What a message holds while it is sent: itself, and the frame made of it."""
    return getsizeof(text) + len(text if text.isascii() else text.encode())


def check_origin(headers: Iterable[tuple[bytes, bytes]], origins: Origins) -> None:
    """Refuse a page of another site that uses its visitor's browser to get in here.

    A browser lets any page open a WebSocket to any address, localhost included, and read
    what comes back: unlike for fetch(), that is for the server to refuse.

    :param origins: those whose pages may
    :raises Forbidden: before the handshake
    """
    named = {name: value.decode("latin-1") for name, value in headers}
    site = named.get(b"sec-fetch-site")
    if site is None:
        origin, host = named.get(b"origin"), named.get(b"host")
        same = origin is None or origin.partition("://")[2] == host
    else:
        same = site in ("same-origin", "none")
    if not same and named.get(b"origin", "").encode("latin-1") not in origins:
        raise Forbidden("a page of another origin may not open a WebSocket here")


def _close_code(status: int) -> int:
    if status == 503:
        return _TRY_LATER
    return _FAILED if status >= 500 else _REFUSED
