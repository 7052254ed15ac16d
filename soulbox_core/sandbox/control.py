"""The socket at which one container's launcher reports to the core."""

import asyncio
import socket
from pathlib import Path

from soulbox_core.errors import ContainerError

SOCKET = "launcher.sock"


class ControlSocket:
    """Listens in a directory that is mounted into the container; good for one connection.

    :param directory: made here, with a path short enough for a socket in it
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.setblocking(False)
        self._listener.bind(str(directory / SOCKET))
        self._listener.listen(1)

    async def accept(self, seconds: float) -> socket.socket:
        """Return the launcher's connection, and have no second one.

        :raises ContainerError: it did not come
        """
        try:
            async with asyncio.timeout(seconds):
                connection, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        except TimeoutError:
            raise ContainerError(
                f"the launcher did not connect in {seconds:g} s; has the image python3 >= 3.9?"
            ) from None
        self._close()
        return connection

    def remove(self) -> None:
        """Remove the directory, too. Safe to call twice."""
        self._close()
        if self._directory.exists():
            self._directory.rmdir()

    def _close(self) -> None:
        self._listener.close()
        (self._directory / SOCKET).unlink(missing_ok=True)
