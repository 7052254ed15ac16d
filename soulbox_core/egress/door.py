"""Accepts connections on a listening socket, not faster than they are welcome."""

import asyncio
import logging
import socket
from collections.abc import Callable

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.01
"""How long nobody is accepted after one who came in vain, so that a flood costs the core little."""


class Door:
    """Open until closed; closes its socket.

    :param welcome: takes a socket that does not block, to be closed by it; whether it was of use
    """

    def __init__(self, listener: socket.socket, welcome: Callable[[socket.socket], bool]) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._welcome = welcome
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._watch()

    def close(self) -> None:
        if self._pause is None:
            self._loop.remove_reader(self._listener)
        else:
            self._pause.cancel()
        self._listener.close()

    def _watch(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:  # such as that there is no descriptor left
            logger.warning("egress: %s", error)
            self._wait()
            return
        sock.setblocking(False)
        if not self._welcome(sock):
            self._wait()

    def _wait(self) -> None:
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(_PAUSE_SECONDS, self._watch)
