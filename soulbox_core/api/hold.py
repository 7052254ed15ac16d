"""How much of the clients' data is in memory at one time."""

from types import TracebackType
from typing import Self

from soulbox_core.errors import Overloaded


class Hold:
    """Counts the bytes that are held for clients: their requests, output and answers.

    A request is held until its run ends, so those that wait for room count too: a full queue
    of the largest bodies would otherwise be gigabytes. The output is counted as what it may
    become, since it grows while nobody looks; an answer as what it is, until its client has it.
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
            raise Overloaded("the runs held in memory leave no room for this one; try again later")
        hold.held_bytes += size
        self._taken += size

    def give(self, size: int) -> None:
        """Hold `size` bytes less."""
        self._hold.held_bytes -= size
        self._taken -= size

    def become(self, size: int) -> None:
        """Hold `size` bytes in place of all that was held.

        :raises Overloaded: there is no room for them
        """
        self.give(self._taken)
        self.take(size)

    def end(self) -> None:
        """Hold nothing any more."""
        self.give(self._taken)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()
