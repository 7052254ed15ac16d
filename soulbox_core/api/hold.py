"""How much of the clients' data is in memory at one time."""

from types import TracebackType
from typing import Self

from soulbox_core.errors import Overloaded


class Hold:
    """Counts the bytes of the request bodies that are held.

    A body is held until its request ends, so the requests that wait for room count too: a
    full queue of the largest bodies would otherwise be gigabytes.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    def share(self) -> "Share":
        """One request's part, given back at the end of its `with` block."""
        return Share(self)


class Share:
    """What one request holds."""

    __slots__ = ("_hold", "_taken")

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._taken = 0

    def take(self, size: int) -> None:
        """Hold `size` bytes more.

        :raises Overloaded: there is no room for them
        """
        hold = self._hold
        if hold.held_bytes + size > hold.most_bytes:
            raise Overloaded("the requests held in memory leave no room for this one")
        hold.held_bytes += size
        self._taken += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hold.held_bytes -= self._taken
