"""Which artifacts are in the store, in what order they were used, and which may go."""

import time
from collections import Counter, OrderedDict

from soulbox_core.execution.artifact_disk import Id
from soulbox_core.execution.artifact_manifest import Manifest
from soulbox_core.execution.artifact_tree import Looks

FEW_LOOKS = 32
"""So many files are looked at in less time than a thread takes to wake."""
TRUST_SECONDS = 60.0
"""How often an artifact of more files is looked at: a use must not cost thousands of calls."""
NOTE_BYTES = 4096
"""Longer notes are not held in memory: anybody can make a compiler say much."""


class Entry:
    """One artifact.

    :param used_at: seconds since the epoch, as it is written on disk
    """

    __slots__ = ("looked_at", "looks", "note", "size_bytes", "used_at")

    def __init__(self, size_bytes: int, used_at: float) -> None:
        self.size_bytes = size_bytes
        self.used_at = used_at
        self.looks: Looks | None = None
        """None until all of it was read or written in this life."""
        self.looked_at = 0.0
        self.note: bytes | None = None
        """None if it is on disk only."""

    def seen(self, manifest: Manifest, looks: Looks) -> None:
        """It was written, read or looked at just now."""
        self.looks = looks
        self.looked_at = time.monotonic()
        self.note = manifest.note if len(manifest.note) <= NOTE_BYTES else None

    def at_hand(self) -> tuple[bytes, Looks] | None:
        """Its note, and what has to be looked at before it is used; None if that takes long."""
        if self.looks is None or self.note is None:
            return None
        if len(self.looks) <= FEW_LOOKS:
            return self.note, self.looks
        fresh = time.monotonic() - self.looked_at < TRUST_SECONDS
        return (self.note, ()) if fresh else None


class Index:
    """The entries, the longest unused first, and their leases. No I/O.

    :param max_bytes: room for all entries; leased ones may together take more for a while
    """

    def __init__(self, max_bytes: int, max_entries: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._max_entries = max_entries
        self._entries: OrderedDict[Id, Entry] = OrderedDict()
        self._leases: Counter[Id] = Counter()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, id: Id) -> Entry | None:
        """The entry of this name."""
        return self._entries.get(id)

    def add(self, id: Id, entry: Entry) -> None:
        """Take in an entry of a name that is free, as the one used last."""
        self._entries[id] = entry
        self.bytes += entry.size_bytes

    def remove(self, id: Id) -> None:
        """Forget an entry, leased or not."""
        self.bytes -= self._entries.pop(id).size_bytes

    def use(self, id: Id) -> None:
        """Make an entry the one used last."""
        self._entries.move_to_end(id)

    def lease(self, id: Id) -> None:
        """Keep the entry of this name, now or when it comes, from being chosen."""
        self._leases[id] += 1

    def release(self, id: Id) -> None:
        """Take back one lease."""
        self._leases[id] -= 1
        if not self._leases[id]:
            del self._leases[id]

    @property
    def is_over(self) -> bool:
        """Whether there is more than there may be."""
        return self.bytes > self.max_bytes or len(self) > self._max_entries

    def make_room(self, size_bytes: int = 0, count: int = 0) -> list[Id]:
        """Forget as many entries as it takes for new ones to fit, and return their names."""
        chosen: list[Id] = []
        excess = self.bytes + size_bytes - self.max_bytes
        surplus = len(self) + count - self._max_entries
        for id, entry in self._entries.items():
            if excess <= 0 and surplus <= 0:
                break
            if id not in self._leases:
                chosen.append(id)
                excess -= entry.size_bytes
                surplus -= 1
        for id in chosen:
            self.remove(id)
        return chosen
