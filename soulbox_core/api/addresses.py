"""Where a request comes from: the peer, or whom a trusted proxy names."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from soulbox_core.errors import SettingsError

ENTRIES = 32
"""Most proxies that a request is followed back through."""


class TrustedProxies:
    """Networks whose X-Forwarded-For header is believed.

    :param networks: such as 10.0.0.0/8
    :raises SettingsError: one of them is no network
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(map(_network, networks))

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        """Whether this is the address of such a proxy."""
        try:
            return self._trusts(_address(address))
        except ValueError:
            return False

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The address that the request came from.

        Each proxy appends whom it heard: what stands left of an address that is not a trusted
        proxy's is that client's own invention. A header that holds anything but addresses up to
        there says nothing, and the peer is the client.
        """
        if peer not in self:
            return peer
        lines = [value for name, value in headers if name == b"x-forwarded-for"]
        named = b",".join(lines).decode("latin-1").split(",")
        found = peer
        for entry in named[: -ENTRIES - 1 : -1]:
            try:
                address = _address(_bare(entry.strip()))
            except ValueError:
                return peer
            found = str(address)
            if not self._trusts(address):
                break
        return found

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


def network_of(address: str) -> str:
    """The /64 of an IPv6 address, or the IPv4 address that it maps.

    :raises ValueError: it is no address
    """
    found = _address(address)
    if found.version == 4:
        return str(found)
    return ":".join(found.exploded.split(":")[:4])


def _address(text: str) -> IPv4Address | IPv6Address:
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped


def _bare(entry: str) -> str:
    """An entry without the port that some proxies add."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    host, colon, port = entry.partition(":")
    return host if colon and port.isdigit() else entry


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"server.trusted_proxies: {error}; write a network such as 10.0.0.0/8 or an address"
        ) from None
