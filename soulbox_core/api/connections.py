"""How many connections are open, in all and from each address."""

import logging
from time import monotonic

from soulbox_core.api.addresses import TrustedProxies, network_of

REPORT_SECONDS = 10.0
"""Refusals are logged no more often than this: a flood of them must not become one of lines."""

log = logging.getLogger("soulbox.server")


class Connections:
    """Counts the open connections, and refuses those that are too many.

    :param most: how many may be open
    :param most_per_address: the same for one IPv4 address, or one /64 of IPv6
    :param trusted: proxies, which bring the connections of many clients
    """

    def __init__(self, most: int, most_per_address: int, trusted: TrustedProxies) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._trusted = trusted
        self._by_address: dict[str, int] = {}
        self._reported_at = -REPORT_SECONDS
        self.open = 0
        self.refused = 0
        """Since the start."""

    def enter(self, host: str | None) -> str | None:
        """Count a connection.

        :param host: the peer's address; None on a unix socket
        :return: what `leave` is to be told; None if there are too many
        """
        place = "" if host is None else _place(host)
        bound = host is not None and host not in self._trusted
        here = self._by_address.get(place, 0)
        if self.open >= self._most or (bound and here >= self._most_per_address):
            self._refuse()
            return None
        self.open += 1
        self._by_address[place] = here + 1
        return place

    def leave(self, place: str) -> None:
        """A connection that was counted is closed."""
        self.open -= 1
        left = self._by_address[place] - 1
        if left:
            self._by_address[place] = left
        else:
            del self._by_address[place]

    def _refuse(self) -> None:
        self.refused += 1
        if monotonic() - self._reported_at >= REPORT_SECONDS:
            self._reported_at = monotonic()
            log.warning(
                "%d connections are open, %d were refused since the start; see"
                " server.connections and server.connections_per_address",
                self.open,
                self.refused,
            )


def _place(host: str) -> str:
    try:
        return network_of(host)
    except ValueError:
        return host
