"""From a name to a connection with an address that was looked at before."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from http import HTTPStatus

from soulbox_core.egress.addresses import Addresses
from soulbox_core.egress.refusal import Refusal

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to addresses."""
_TRIED = 4
"""Most addresses of a name that are tried."""


async def system_resolver(name: str, port: int) -> Sequence[str]:
    """The addresses that the host's own resolver knows.

    :raises OSError: it knows none
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Dialer:
    """Connects by name.

    A name is resolved once, all that it resolves to is looked at, and the connection is made with
    one of just these addresses: a name that changes its mind gains nothing.

    :param seconds: longest that it may take, resolving and all attempts together
    """

    def __init__(
        self, addresses: Addresses, seconds: float, resolve: Resolve = system_resolver
    ) -> None:
        self._addresses = addresses
        self._seconds = seconds
        self._resolve = resolve

    async def connect(self, name: str, port: int, *, anywhere: bool = False) -> socket.socket:
        """:param anywhere: whatever its addresses are
        :raises Refusal: it leads where it must not, or nowhere
        """
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._resolve(name, port)
                if not anywhere and not all(
                    self._addresses.permit(address, port) for address in found
                ):
                    raise Refusal(
                        HTTPStatus.FORBIDDEN,
                        f"{name} is at an address that is not public",
                        "Not a public address",
                    )
                return await self._first(found[:_TRIED], port)
        except (OSError, TimeoutError):
            raise Refusal(
                HTTPStatus.BAD_GATEWAY, f"{name}:{port} cannot be reached", "Not reachable"
            ) from None

    async def _first(self, found: Sequence[str], port: int) -> socket.socket:
        """The first that answers; each has its share of the time.

        :raises OSError: none does
        """
        for address in found:
            try:
                async with asyncio.timeout(self._seconds / len(found)):
                    return await _connected(address, port)
            except (OSError, TimeoutError):
                continue
        raise OSError("no address answers")


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    with ExitStack() as unless_kept:
        unless_kept.callback(sock.close)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
        unless_kept.pop_all()
    return sock
