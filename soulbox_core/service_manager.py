"""Who starts the service and watches over it, if that is systemd: it is told how the service is.

The protocol is sd_notify(3)'s: datagrams of lines, to a socket that a variable names.
"""

import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from soulbox_core.routine import Routine

logger = logging.getLogger(__name__)

_SEND_SECONDS = 1.0
_SIGNS_OF_LIFE = 3
"""How many are sent in the time after which a service that sends none is taken for hung."""
_MARGIN_SECONDS = 30.0
"""For what comes after draining: answers on their way, containers and cgroups."""


class ServiceManager:
    """What is said to it is lost if nobody asked for it, and never stops the service.

    :param address: of its socket, a path or `@name`; None: nobody wants to know
    :param watchdog_seconds: how long it waits for a sign of life; 0: it asks for none
    """

    def __init__(self, address: str | None = None, watchdog_seconds: float = 0.0) -> None:
        self._address = address
        self._watchdog_seconds = watchdog_seconds
        self._serves = False

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "ServiceManager":
        """The one that the variables name (sd_notify(3), sd_watchdog_enabled(3))."""
        mine = env.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = env.get("WATCHDOG_USEC", "") if mine else ""
        seconds = int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0
        return cls(env.get("NOTIFY_SOCKET") or None, seconds)

    def ready(self, status: str) -> None:
        """The service serves.

        :param status: a line for people
        """
        self._serves = True
        self._tell("READY=1", f"STATUS={status}")

    def stopping(self, drain_seconds: float) -> None:
        """The service ends, and may take this long for what runs, whatever the unit says."""
        microseconds = int((drain_seconds + _MARGIN_SECONDS) * 1e6)
        self._tell("STOPPING=1", "STATUS=draining", f"EXTEND_TIMEOUT_USEC={microseconds}")

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Give signs of life while the block lasts and the event loop turns; from `ready` on, since
        nobody waits for them before."""
        if self._address is None or not self._watchdog_seconds:
            yield
            return
        pause = self._watchdog_seconds / _SIGNS_OF_LIFE

        async def sign() -> float:
            if self._serves:
                self._tell("WATCHDOG=1")
            return pause

        routine = Routine(sign, "no sign of life for the service manager", pause)
        try:
            yield
        finally:
            await routine.close()

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        # In the abstract name space the first byte is NUL (unix(7)).
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                door.settimeout(_SEND_SECONDS)
                door.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            logger.warning("the service manager cannot be told %s: %s", lines[0], error)
