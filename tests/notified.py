"""The other end of sd_notify(3), where systemd would be."""

import socket


class Listener:
    """Hears what a service says.

    :param address: a path, or `@name`
    """

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.settimeout(60)

    def hear(self) -> list[str]:
        """The lines of the next datagram."""
        return self.socket.recv(4096).decode().split("\n")

    def hear_until(self, line: str) -> list[list[str]]:
        """All datagrams, to the first that has the line."""
        heard = [self.hear()]
        while line not in heard[-1]:
            heard.append(self.hear())
        return heard
