"""Which names this service answers to: the wall against DNS rebinding.

A page may have its own name point at 127.0.0.1 once it is loaded. Its requests are then of its own
origin for the browser, and it may read the answers; but they carry that name as their Host.
"""

from ipaddress import ip_address

from starlette.exceptions import HTTPException

from soulbox_core import loopback
from soulbox_core.errors import SettingsError
from soulbox_core.settings import Auth, Server


def hosts_of(server: Server) -> frozenset[bytes] | None:
    """The names that a Host header may have; None if any will do."""
    if not server.hosts and not is_loopback(server.host):
        return None
    own = (*loopback.NAMES, server.host.strip("[]"))
    names = (*(f"[{name}]" if ":" in name else name for name in own), *server.hosts)
    return frozenset(name.lower().encode() for name in names)


def check_exposure(server: Server, auth: Auth) -> None:
    """Do not let a network run code unasked.

    :raises SettingsError: the service is to listen to others, who need not prove who they are
    """
    if auth.enabled or auth.let_anybody_on_the_network_run_code or is_loopback(server.host):
        return
    raise SettingsError(
        f"server.host is {server.host} and auth.enabled is off: whoever can reach it could run"
        " code here; listen on 127.0.0.1, turn auth.enabled on, or say"
        " auth.let_anybody_on_the_network_run_code=true"
    )


def is_loopback(host: str) -> bool:
    """Whether only this host can reach that address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_host(host: bytes, known: frozenset[bytes]) -> None:
    """Let a request through whose Host header has a known name, with any port.

    :raises HTTPException: 421, it has not
    """
    if _name(host) not in known:
        raise HTTPException(
            421,
            "this service does not answer to the name in the Host header; "
            "its operator can add it to server.hosts",
        )


def _name(host: bytes) -> bytes:
    """A Host header without its port (RFC 9110 section 7.2)."""
    name, colon, port = host.lower().rpartition(b":")
    if colon and (not port or port.isdigit()):
        return name
    return host.lower()
