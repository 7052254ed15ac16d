"""Which addresses may be connected to: public ones, and what the operator adds.

Lists follow the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890). Of IPv6
only global unicast, 2000::/3, is public, less what is carved out of it.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT, and metadata of some clouds
            "127.0.0.0/8",
            "168.63.129.16/32",  # public by number, and yet Azure's host
            "169.254.0.0/16",  # link-local, with the metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # Teredo among them
            "2001:db8::/32",
            "2002::/16",  # 6to4: holds an IPv4 address
            "3fff::/20",
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_NEVER = tuple(map(ip_network, ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8")))
"""No host has these: the kernel takes the unspecified address for its own loopback."""
_DISCARD = 9
_LAST_4 = (1 << 32) - 1


class Addresses:
    """Tells where connections may lead.

    :param private_networks: networks in CIDR notation that may be reached although not public
    :param own_ports: where the service itself listens; never led to on this host
    :raises ValueError: one is no network
    """

    def __init__(self, private_networks: Iterable[str] = (), own_ports: Iterable[int] = ()) -> None:
        self._exempt = tuple(map(ip_network, private_networks))
        self._own_ports = frozenset(own_ports)

    def permit(self, text: str, port: int) -> bool:
        """Whether an address, as getaddrinfo tells it, may be connected to."""
        if "%" in text:
            return False  # one that only means something on some link
        try:
            address = _plain(ip_address(text))
        except ValueError:
            return False
        if _within(address, _NEVER):
            return False
        if _within(address, self._exempt):
            return port not in self._own_ports or not _is_own(address)
        return _is_public(address) and not _is_own(address)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where the kernel or a NAT64 takes it so."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & _LAST_4)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, _NOT_PUBLIC_4)
    return address in _GLOBAL_6 and not _within(address, _NOT_PUBLIC_6)


def _is_own(address: Address) -> bool:
    """Whether it is this host's: the kernel answers such a one from itself. Sends nothing."""
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((str(address), _DISCARD))
        except OSError:
            return False  # there is no way to it at all
        return ip_address(sock.getsockname()[0]) == address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == one.version and address in one for one in networks)
