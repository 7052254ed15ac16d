"""Reading a request's body: what kind it is, and no more of it than is allowed."""

import asyncio
import re
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import Receive

from soulbox_core.api.hold import Share
from soulbox_core.api.watch import ClientGone
from soulbox_core.errors import InvalidRequest, TooLarge, UnsupportedMedia

PARTS = 4096
"""A body may come in so many parts, however small."""
PART_BYTES = 16
"""What each must have on average if there are more: a tiny part costs as much as a large one."""


_IDEMPOTENCY_KEY = re.compile(rb'"([!#-~]{1,255})"|([!#-~]{1,255})')


class Headers:
    """The few request headers that say what the body is. The last of each name counts."""

    __slots__ = ("_encoding", "_idempotency_key", "_kind", "_length", "accept")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.accept = self._encoding = self._kind = self._length = b""
        self._idempotency_key: bytes | None = None
        for name, value in headers:
            if name == b"content-type":
                self._kind = value
            elif name == b"content-length":
                self._length = value
            elif name == b"content-encoding":
                self._encoding = value
            elif name == b"accept":
                self.accept = value
            elif name == b"idempotency-key":
                # Two are none: nobody could tell which of them a repetition has.
                self._idempotency_key = value if self._idempotency_key is None else b""

    def is_json(self) -> bool:
        """Whether the body is JSON; otherwise it is the source itself.

        :raises UnsupportedMedia: it is neither: a form with parts, or compressed
        """
        encoding = self._encoding.strip().lower()
        if encoding not in (b"", b"identity"):
            raise UnsupportedMedia("a content-encoding is not read here: send the body as it is")
        kind = self._kind.partition(b";")[0].strip().lower()
        if kind.startswith(b"multipart/"):
            raise UnsupportedMedia(
                "a multipart form is not read here: send the source itself, with "
                "curl --data-binary @file, or a JSON body"
            )
        return kind == b"application/json" or kind.endswith(b"+json")

    def idempotency_key(self) -> str | None:
        """The client's name for this request and all its repetitions, if it gave one.

        :raises InvalidRequest: it is not 1 to 255 visible characters of ASCII
        """
        return idempotency_key(self._idempotency_key)

    def length(self) -> int:
        """The body's length as declared, in bytes; 0 if it was not.

        :raises InvalidRequest: it is no number
        """
        if not self._length:
            return 0
        if not self._length.isdigit() or len(self._length) > 19:
            raise InvalidRequest("content-length is not a length")
        return int(self._length)


def idempotency_key(value: bytes | None) -> str | None:
    """Read an Idempotency-Key. The draft has it as a string in quotes; most clients send it bare.

    :raises InvalidRequest: it is not 1 to 255 visible characters of ASCII
    """
    if value is None:
        return None
    match = _IDEMPOTENCY_KEY.fullmatch(value.strip())
    if match is None:
        raise InvalidRequest(
            "it must be 1 to 255 visible characters of ASCII", field="idempotency-key"
        )
    return (match[1] or match[2]).decode("ascii")


async def read_body(
    receive: Receive, declared: int, most: int, share: Share, seconds: float
) -> bytes:
    """Read the whole body.

    :param declared: its length, if the client said one
    :param most: bytes allowed
    :param seconds: longest that the client may take
    :raises TooLarge: it has more, or says so
    :raises InvalidRequest: it comes in parts of next to nothing
    :raises Overloaded: there is no room in memory now
    :raises ClientGone: the client hung up
    """
    if declared > most:
        raise TooLarge(f"the body has {declared} bytes; {most} are allowed here")
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, most, share)
    except TimeoutError:
        raise HTTPException(408, f"the body took more than {seconds:g} s") from None


async def _read(receive: Receive, most: int, share: Share) -> bytes:
    whole = bytearray()
    parts = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        more = message.get("more_body", False)
        if len(whole) + len(part) > most:
            raise TooLarge(f"the body has more than the {most} bytes that are allowed here")
        parts += 1
        if parts > PARTS and parts * PART_BYTES > len(whole):
            raise InvalidRequest("the body comes in too many parts that are too small")
        share.take(len(part))
        # Not a list of parts: a client may send them one byte long.
        whole += part
    return bytes(whole)
