"""How much of what runs share: of memory, and of processes."""

from soulbox_core.model import Limits, Value

_CELL_BYTES = 4 << 20
"""Kernel memory of a cell that its own limit does not cover, reserved on top of it."""
_CELL_PROCESSES = 2
"""Of a cell, beside its program's: its init, and who reads its files."""


class Room(Value):
    """What a run takes, or what there is for all of them."""

    memory_bytes: int = 0
    processes: int = 0
    """And threads."""

    def __add__(self, other: "Room") -> "Room":
        return Room(
            memory_bytes=self.memory_bytes + other.memory_bytes,
            processes=self.processes + other.processes,
        )

    def __sub__(self, other: "Room") -> "Room":
        return Room(
            memory_bytes=self.memory_bytes - other.memory_bytes,
            processes=self.processes - other.processes,
        )

    def __or__(self, other: "Room") -> "Room":
        """The least that both fit into, one after the other."""
        return Room(
            memory_bytes=max(self.memory_bytes, other.memory_bytes),
            processes=max(self.processes, other.processes),
        )

    def fits(self, other: "Room") -> bool:
        """Whether it fits into another."""
        return self.memory_bytes <= other.memory_bytes and self.processes <= other.processes


def room_of(limits: Limits) -> Room:
    """What a cell with these limits may take."""
    return Room(
        memory_bytes=limits.memory_bytes + _CELL_BYTES,
        processes=limits.processes + _CELL_PROCESSES,
    )
