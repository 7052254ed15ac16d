"""Which hosts may be reached, by name and port."""

import re
from collections.abc import Iterable

from soulbox_core.errors import shown
from soulbox_core.model import Value

HTTP, HTTPS = 80, 443
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_PATTERN = re.compile(
    rf"(\*\.)?(?=.{{1,253}}(?::|$))({_LABEL}(?:\.{_LABEL})*)(?::([1-9][0-9]{{0,4}}))?",
    re.ASCII | re.IGNORECASE,
)
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.ASCII)
_TARGET = re.compile(
    rf"(?=.{{1,253}}(?::|$))({_LABEL}(?:\.{_LABEL})*)(?::([1-9][0-9]{{0,4}}))?",
    re.ASCII | re.IGNORECASE,
)

Host = tuple[str, int]
"""A name in lower case, and a port."""


class HostPattern(Value):
    """A host, or with `below` every host below it, on some ports."""

    name: str
    below: bool
    ports: tuple[int, ...]

    def matches(self, name: str, port: int) -> bool:
        """Whether it is one of these; the name in lower case."""
        if port not in self.ports:
            return False
        return name.endswith(f".{self.name}") if self.below else name == self.name

    def covers(self, other: "HostPattern") -> bool:
        """Whether each that the other matches is one of these."""
        if not set(other.ports) <= set(self.ports):
            return False
        if other.below and not self.below:
            return False
        if not self.below:
            return other.name == self.name
        return other.name.endswith(f".{self.name}") or (other.below and other.name == self.name)


def host_pattern(text: str) -> HostPattern:
    """Read `name` or `*.name`, either with `:port`; without one it means those of HTTP and HTTPS.

    An address is not a name, and a name that ends in a number is an address to many a client
    (https://url.spec.whatwg.org/#ends-in-a-number-checker).

    :raises ValueError: it is neither
    """
    match = _PATTERN.fullmatch(text)
    port = int(match[3]) if match and match[3] else None
    if match is None or (port is not None and port >= 1 << 16):
        raise ValueError(
            f"{shown(text)} is not a host name such as example.org or *.example.org:443"
        )
    if _NUMERIC.fullmatch(match[2].rpartition(".")[2].lower()):
        raise ValueError(f"{shown(text)} is an address; hosts are reached by name")
    ports = (HTTP, HTTPS) if port is None else (port,)
    return HostPattern(name=match[2].lower(), below=match[1] is not None, ports=ports)


def host_patterns(texts: Iterable[str]) -> tuple[HostPattern, ...]:
    """Read several.

    :raises ValueError: one is none
    """
    return tuple(host_pattern(text) for text in texts)


def host(text: str, port: int = HTTPS) -> Host:
    """Read `name` or `name:port`, where the name may be an IPv4 address.

    There is one way to write each: no trailing dot, no user, no IPv6 address, no zero in front
    of the port.

    :param port: what it means where there is none
    :raises ValueError: it is neither
    """
    match = _TARGET.fullmatch(text)
    if match is None or not 0 < (number := int(match[2] or port)) < 1 << 16:
        raise ValueError(f"{shown(text)} is not a host name, or one with :port")
    return match[1].lower(), number


class Way(Value):
    """Where a cell may go."""

    patterns: tuple[HostPattern, ...] = ()
    """Hosts that a request asked for; what their names resolve to must be public."""
    named: frozenset[Host] = frozenset()
    """Hosts that the operator named one by one, wherever they are."""
    what: str = "a host that the request allows"
    """What they are, for the refusal of all others."""

    def allows(self, name: str, port: int) -> bool:
        """Whether it leads there; the name in lower case."""
        return self.trusts(name, port) or any(
            pattern.matches(name, port) for pattern in self.patterns
        )

    def trusts(self, name: str, port: int) -> bool:
        """Whether it leads there whatever the address is."""
        return (name, port) in self.named
