"""Which pages of other origins may use the API (https://fetch.spec.whatwg.org/#http-cors-protocol).

None, unless the operator lists them. Callers show a key or token that a page must be given: there
are no cookies, so credentials in that protocol's sense are never allowed.
"""

import re
from collections.abc import Iterable, Mapping

from starlette.types import Send

from soulbox_core.errors import SettingsError

METHODS = b"GET, POST, DELETE"
HEADERS = b"accept, authorization, content-type, idempotency-key, x-request-id"
EXPOSED = b"idempotency-replayed, ratelimit, ratelimit-policy, retry-after, x-request-id"
"""What pages may read of an answer, besides what they always may."""
MAX_AGE = b"600"
"""Seconds for which a browser need not ask again."""

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")


class Origins:
    """The origins that are let in, exactly as browsers write them.

    :raises SettingsError: one is not written like that, `*` among them
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._known = frozenset(map(_origin, origins))

    def __bool__(self) -> bool:
        return bool(self._known)

    def __contains__(self, origin: bytes | None) -> bool:
        return origin in self._known

    def headers(self, named: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """What an answer says of it. `Vary` is there for every request, or a cache would hand
        one origin's answer to another."""
        if not self._known:
            return []
        origin = named.get(b"origin")
        if origin not in self._known:
            return [(b"vary", b"Origin")]
        return [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED),
        ]

    def asks_first(self, method: str, named: Mapping[bytes, bytes]) -> bool:
        """Whether a browser asks on behalf of such a page what it may send."""
        return (
            method == "OPTIONS"
            and b"access-control-request-method" in named
            and named.get(b"origin") in self._known
        )


async def answer_preflight(send: Send) -> None:
    """Say what may be sent; who sends it is asked then."""
    headers = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", HEADERS),
        (b"access-control-max-age", MAX_AGE),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _origin(text: str) -> bytes:
    if not _ORIGIN.fullmatch(text):
        raise SettingsError(
            f"server.cors_origins: {text!r} is no origin; write each in full, such as"
            " https://notebook.example.org, with no path and no *"
        )
    return text.encode()
