"""A run told as it happens, over HTTP: server-sent events or newline-delimited JSON."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext

import msgspec
from starlette.types import Receive, Send

from soulbox_core.api.events import Teller, error_event, name_of
from soulbox_core.api.problems import report
from soulbox_core.api.watch import Beside, ClientGone, until_gone
from soulbox_core.model import Event

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
NDJSON = "application/x-ndjson"

KEEP_ALIVE_SECONDS = 15.0
"""Silence after which an event stream carries a comment, for the proxies between."""
STALL_SECONDS = 60.0
"""Longest that a client may leave us unable to send before it counts as gone."""

_OFFERED = (JSON, EVENT_STREAM, NDJSON)


def negotiate(accept: bytes) -> str:
    """Choose the answer's media type by an Accept header (RFC 9110 section 12.5.1).

    A stream is only given to who names it. What accepts none of ours gets JSON all the same:
    it is the better error message.
    """
    accept = accept.lower()
    if b"event-stream" not in accept and b"ndjson" not in accept:
        return JSON
    best, weight = JSON, 0.0
    for item in accept.decode("latin-1").split(","):
        kind, *parameters = (part.strip() for part in item.split(";"))
        quality = _quality(parameters)
        if kind in _OFFERED and quality > weight:
            best, weight = kind, quality
    return best


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


class Line:
    """The open response: what is told goes out at once.

    :param send: the server's
    :param media_type: EVENT_STREAM or NDJSON
    """

    def __init__(self, send: Send, media_type: str) -> None:
        self._send = send
        self._media_type = media_type
        self._lock = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time
        self._last = self._clock()

    async def open(self) -> None:
        """Send the headers."""
        headers = [
            (b"content-type", self._media_type.encode()),
            (b"cache-control", b"no-store"),
            # nginx would otherwise gather the chunks.
            (b"x-accel-buffering", b"no"),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def tell(self, event: msgspec.Struct) -> None:
        """Send an event.

        :raises ClientGone: the client takes nothing any more
        """
        data = _one_line(msgspec.json.encode(event))
        if self._media_type == EVENT_STREAM:
            await self._write(b"event: %b\ndata: %b\n\n" % (name_of(event).encode(), data))
        else:
            await self._write(data + b"\n")

    async def close(self) -> None:
        """End the response as one that is complete."""
        async with patience():
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def kept_alive(self) -> AbstractContextManager[None]:
        """While the block lasts, break a long silence with a comment, if the format has any."""
        return Beside(self._comment) if self._media_type == EVENT_STREAM else nullcontext()

    async def _comment(self) -> None:
        while True:
            silence = self._clock() - self._last
            if silence >= KEEP_ALIVE_SECONDS:
                await self._write(b": keep-alive\n\n")
            else:
                await asyncio.sleep(KEEP_ALIVE_SECONDS - silence)

    async def _write(self, data: bytes) -> None:
        async with self._lock, patience():
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            self._last = self._clock()


def _one_line(json: bytes) -> bytes:
    """Escape what JSON lets stand, but Unicode, and so many a client's readline, calls a line end.

    They can only be inside of strings: U+0085, U+2028 and U+2029.
    """
    json = json.replace(b"\xc2\x85", b"\\u0085")
    return json.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


@asynccontextmanager
async def patience() -> AsyncIterator[None]:
    """Let a send take a while, but not for ever: a client that reads nothing holds a cell.

    :raises ClientGone: it took too long
    """
    try:
        async with asyncio.timeout(STALL_SECONDS):
            yield
    except TimeoutError:
        raise ClientGone from None


async def stream(
    events: AsyncGenerator[Event, None],
    teller: Teller,
    media_type: str,
    request_id: str,
    receive: Receive,
    send: Send,
) -> None:
    """Answer with the events of a run as they come.

    The headers wait for the first event, so that a refused run is still an HTTP error.

    :raises RequestError: the run was refused
    :raises ClientGone: the client hung up; the run's cell is dead
    """
    async with aclosing(events):
        with Beside(until_gone, receive):
            first = await anext(events)
            line = Line(send, media_type)
            await line.open()
            with line.kept_alive():
                await _relay(first, events, teller, line, request_id)
            await line.close()


async def _relay(
    first: Event, events: AsyncIterator[Event], teller: Teller, line: Line, request_id: str
) -> None:
    try:
        for told in teller.tell(first):
            await line.tell(told)
        async for event in events:
            for told in teller.tell(event):
                await line.tell(told)
    except ClientGone:
        raise
    except Exception as error:
        # A border: the headers are out, so a failure can only be told as the last event.
        report(error, request_id)
        await line.tell(error_event(error, request_id))
