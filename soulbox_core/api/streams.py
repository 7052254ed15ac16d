"""A run told as it happens, over HTTP: server-sent events or newline-delimited JSON."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing, nullcontext

import msgspec
from starlette.types import Receive, Scope, Send

from soulbox_core.api.events import Teller, error_event, name_of
from soulbox_core.api.hold import Share
from soulbox_core.api.problems import REFUSAL, REQUEST_ID, report
from soulbox_core.api.watch import Beside, ClientGone, until_gone
from soulbox_core.model import Event, Finished

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
NDJSON = "application/x-ndjson"

KEEP_ALIVE_SECONDS = 15.0
"""Silence after which an event stream carries a comment, for the proxies between."""
PIECE_BYTES = 64 << 10
"""Most bytes given to the server at one time: what it has is out of our hands, also when the
client is given up."""

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

    def written(self, event: msgspec.Struct) -> bytes:
        """An event in the line's format."""
        data = _one_line(msgspec.json.encode(event))
        if self._media_type == EVENT_STREAM:
            return b"event: %b\ndata: %b\n\n" % (name_of(event).encode(), data)
        return data + b"\n"

    async def write(self, data: bytes) -> None:
        """Send what is written.

        :raises ClientGone: the client takes nothing any more
        """
        async with self._lock:
            await send_pieces(data, self._send, more=True)
            self._last = self._clock()

    async def close(self) -> None:
        """End the response as one that is complete."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def kept_alive(self) -> AbstractContextManager[None]:
        """While the block lasts, break a long silence with a comment, if the format has any."""
        return Beside(self._comment) if self._media_type == EVENT_STREAM else nullcontext()

    async def _comment(self) -> None:
        while True:
            silence = self._clock() - self._last
            if silence >= KEEP_ALIVE_SECONDS:
                await self.write(b": keep-alive\n\n")
            else:
                await asyncio.sleep(KEEP_ALIVE_SECONDS - silence)


async def send_pieces(body: bytes, send: Send, *, more: bool) -> None:
    """Send a part of a response's body.

    :param more: whether it is not the last one
    """
    for start in range(0, len(body), PIECE_BYTES):
        piece, end = body[start : start + PIECE_BYTES], start + PIECE_BYTES
        more_body = more or end < len(body)
        await send({"type": "http.response.body", "body": piece, "more_body": more_body})


def _one_line(json: bytes) -> bytes:
    """Escape what JSON lets stand, but Unicode, and so many a client's readline, calls a line end.

    They can only be inside of strings: U+0085, U+2028 and U+2029.
    """
    json = json.replace(b"\xc2\x85", b"\\u0085")
    return json.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


async def stream(
    events: AsyncGenerator[Event, None],
    teller: Teller,
    media_type: str,
    scope: Scope,
    share: Share,
    receive: Receive,
    send: Send,
) -> None:
    """Answer with the events of a run as they come.

    The headers wait for the first event, so that a refused run is still an HTTP error.

    :param share: counts what is left to be sent when the run is over
    :raises RequestError: the run was refused
    :raises ClientGone: the client hung up; the run's cell is dead
    """
    with Beside(until_gone, receive):
        line = Line(send, media_type)
        # The last events are sent when the run is closed and its outcome gone: it may be large.
        last = await _relay(events, teller, line, scope, share)
        await line.write(last)
        await line.close()


async def _relay(
    events: AsyncGenerator[Event, None], teller: Teller, line: Line, scope: Scope, share: Share
) -> bytes:
    """Send all events but the last ones, which are returned as they are to be written."""
    async with aclosing(events):
        first = await anext(events)
        await line.open()
        try:
            with line.kept_alive():
                for told in teller.tell(first):
                    await line.write(line.written(told))
                async for event in events:
                    if isinstance(event, Finished):
                        last = b"".join(map(line.written, teller.tell(event)))
                        share.take(len(last))
                        return last
                    for told in teller.tell(event):
                        await line.write(line.written(told))
            raise AssertionError("a run ends with Finished")
        except ClientGone:
            raise
        except Exception as error:
            # A border: the headers are out, so a failure can only be told as the last event.
            scope[REFUSAL] = report(error, scope[REQUEST_ID])
            return line.written(error_event(error, scope[REQUEST_ID]))
