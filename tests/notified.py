"""The other end of sd_notify(3), where systemd would be."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def listening(address: str) -> Iterator["Listener"]:
    """Hear what a service says while the block lasts.

    :param address: a path, or `@name`
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(address.replace("@", "\0", 1))
        door.settimeout(60)
        yield Listener(door)


class Listener:
    """Whom `listening` made."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door

    def hear(self) -> list[str]:
        """The lines of the next datagram."""
        return self._door.recv(4096).decode().split("\n")

    def hear_until(self, line: str) -> list[list[str]]:
        """All datagrams, to the first that has the line."""
        heard = [self.hear()]
        while line not in heard[-1]:
            heard.append(self.hear())
        return heard
