"""The door of each path: who may pass, and what is said of the caller's share."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from soulbox_core.api.addresses import network_of
from soulbox_core.api.edge import HEADERS, ROUTE
from soulbox_core.api.ports import Gate
from soulbox_core.api.rates import rate_headers
from soulbox_core.model import Caller

CALLER = "soulbox.caller"
"""Key of the caller in a request's ASGI scope, behind a guard."""
CREDENTIAL_BYTES = 16 << 10
"""Longest credential that is looked at; a longer one is nobody's."""

_SCHEME = b"bearer "
_NO_CREDENTIAL = "-"


class Guard:
    """Guards endpoints with one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def needs(self, scope: str | None, route: str, endpoint: ASGIApp) -> ASGIApp:
        """The endpoint, for callers who have a scope, or for anybody if it is None.

        :param route: what it is called where requests are counted
        """
        if scope is None:
            return _Open(self._gate, route, endpoint)
        return _Closed(self._gate, scope, route, endpoint)

    def free(self, route: str, endpoint: ASGIApp) -> ASGIApp:
        """The endpoint, for anybody and as often as anybody likes."""
        return _Open(None, route, endpoint)


class _Closed:
    def __init__(self, gate: Gate, scope: str, route: str, endpoint: ASGIApp) -> None:
        self._gate = gate
        self._scope = scope
        self._route = route
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = self._route
        credential = credential_of(scope["headers"])
        entry = await self._gate.enter(credential, address_of(scope), self._scope)
        scope[CALLER] = entry.caller
        if entry.standings:
            scope[HEADERS].extend(rate_headers(entry.standings))
        await self._endpoint(scope, receive, send)


class _Open:
    def __init__(self, gate: Gate | None, route: str, endpoint: ASGIApp) -> None:
        self._gate = gate
        self._route = route
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = self._route
        if self._gate is not None:
            await self._gate.pass_by(address_of(scope))
        await self._endpoint(scope, receive, send)


def caller_of(scope: Scope) -> Caller:
    """Who sent the request."""
    caller: Caller = scope[CALLER]
    return caller


def address_of(scope: Scope) -> str:
    """The client's address; empty on a unix socket. Of IPv6 it is the /64, which is what one
    subscriber has (RFC 6177), so that its other addresses are no others."""
    client = scope.get("client")
    if client is None:
        return ""
    address = client[0]
    if ":" not in address:
        return str(address)
    try:
        return network_of(address)
    except ValueError:
        return str(address)


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The credential of an Authorization header (RFC 6750 section 2.1), None if there is none.

    What is there and cannot be one, more than one included, is a credential that is nobody's.
    """
    found = [value for name, value in headers if name == b"authorization"]
    if not found:
        return None
    value = found[0]
    if len(found) > 1 or len(value) > CREDENTIAL_BYTES or value[:7].lower() != _SCHEME:
        return _NO_CREDENTIAL
    try:
        return value[7:].strip().decode("ascii")
    except UnicodeDecodeError:
        return _NO_CREDENTIAL
