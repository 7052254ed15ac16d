"""The head of a proxy request: read strictly, so that no two readers could read it differently.

h11 takes the line ends and folded lines of old; those are refused before it sees them.
"""

import re
from http import HTTPStatus

import h11

from soulbox_core.egress.hosts import HTTP, HTTPS, host
from soulbox_core.egress.refusal import Refusal
from soulbox_core.model import Value

END = b"\r\n\r\n"
MOST_BYTES = 16384
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([!-~]{1,8192}) HTTP/1\.[01]")
_ABSOLUTE = re.compile(r"http://([^/?#]*)((?:[/?][^#]*)?)", re.IGNORECASE)
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""What concerns one connection and not the request (RFC 9110, 7.6.1)."""
_KEPT = frozenset((b"host", b"content-length"))
"""What no Connection header may take away: they say whom a message is for, and where it ends."""

_OURS = frozenset((b"host", b"via"))
"""What the request gets from us."""

Headers = list[tuple[bytes, bytes]]


class Asked(Value):
    """A request, as far as the proxy need know it."""

    name: str
    port: int
    request: h11.Request | None = None
    """What to send there instead; None asks for a tunnel."""


def read_head(head: bytes, server: h11.Connection) -> Asked:
    """Read a head, up to and with its empty line.

    :param server: gets to know the request as well, unless it asks for a tunnel
    :raises Refusal: it is none, or an ambiguous one
    """
    first, *lines = head.removesuffix(END).split(b"\r\n")
    match = _REQUEST.fullmatch(first)
    if match is None:
        raise _bad("the first line is not that of an HTTP/1.1 request to a proxy")
    for line in lines:
        if line[:1] in (b" ", b"\t") or _CONTROL.search(line):
            raise _bad("a header has a control character, or goes on in the next line")
    method, target = match[1], match[2].decode("ascii")
    if method == b"CONNECT":
        return _tunnel(target, lines)
    server.receive_data(head)
    try:
        request = server.next_event()
    except h11.RemoteProtocolError as error:
        raise _bad(_plain(str(error))) from None
    if not isinstance(request, h11.Request):
        raise _bad("the head is not that of a request")
    return _forwarded(request, target)


def end_to_end(message: h11.Request | h11.Response) -> Headers:
    """A message's headers without those that concern one connection alone."""
    headers = message.headers
    named = {
        token.strip().lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }
    gone = _HOP_BY_HOP | (named - _KEPT)
    return [(name, value) for name, value in headers.raw_items() if name.lower() not in gone]


def _tunnel(target: str, lines: list[bytes]) -> Asked:
    for line in lines:
        name, colon, _ = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise _bad("a line is no header")
        if name.lower() in (b"content-length", b"transfer-encoding"):
            raise _bad("CONNECT has no body")
    name_there, port = _host(target, HTTPS)
    return Asked(name=name_there, port=port)


def _forwarded(request: h11.Request, target: str) -> Asked:
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise _bad("a proxy is asked for http://host/path, or by CONNECT host:port")
    name, port = _host(match[1], HTTP)
    headers = dict(request.headers)
    if b"host" in headers and headers[b"host"].decode("latin-1").lower() not in _ways(name, port):
        raise _bad("the Host header names another host than the request")
    coded = headers.get(b"transfer-encoding")
    if coded is not None and (b"content-length" in headers or request.http_version < b"1.1"):
        raise _bad("the length of the body is given twice")
    if headers.get(b"upgrade", b"").strip().lower() == b"websocket":
        raise Refusal(
            HTTPStatus.NOT_IMPLEMENTED, "a WebSocket needs a tunnel: use wss://, or CONNECT"
        )
    kept = [pair for pair in end_to_end(request) if pair[0].lower() not in _OURS]
    framing = [] if coded is None else [(b"Transfer-Encoding", b"chunked")]
    path = match[2]
    if not path:
        path = "*" if request.method == b"OPTIONS" else "/"
    elif path.startswith("?"):
        path = f"/{path}"
    return Asked(
        name=name,
        port=port,
        request=h11.Request(
            method=request.method,
            target=path,
            headers=[
                (b"Host", _ways(name, port)[0].encode()),
                *kept,
                *framing,
                (b"Via", b"1.1 soulbox"),
                (b"Connection", b"close"),
            ],
        ),
    )


def _ways(name: str, port: int) -> tuple[str, ...]:
    """How a Host header may say it, the usual way first."""
    full = f"{name}:{port}"
    return (name, full) if port == HTTP else (full,)


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        return host(text, port)
    except ValueError:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "the request is not for a host by its name", "Not a host"
        ) from None


def _bad(why: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, why)


def _plain(text: str) -> str:
    """Our library's words, which may quote the request."""
    return "".join(each for each in text if " " <= each <= "~")[:200]
