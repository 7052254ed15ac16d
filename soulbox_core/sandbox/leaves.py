"""Leaves of one container, used again and again.

Making and removing directories in four hierarchies costs more than forking the cell, and each
removed memory cgroup lingers in the kernel until its last page is gone. A leaf holds nothing
but limits and counters, no program can see it, and it is used again only when empty.
"""

import logging
from collections import deque

from soulbox_core.errors import CgroupError
from soulbox_core.model import Limits
from soulbox_core.sandbox.cgroup import Leaf, Tree

logger = logging.getLogger(__name__)

_MOST_IDLE = 32
"""Leaves kept for later; a burst's others are removed."""


class Leaves:
    """A container's leaves. Blocks for the time of a few cgroup writes."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._idle: deque[Leaf] = deque()
        self._all: set[Leaf] = set()
        self._made = 0

    def take(self, limits: Limits) -> Leaf:
        """Return an empty leaf with these limits.

        :raises CgroupError: the kernel refuses
        """
        leaf = self._reusable() or self._make()
        leaf.limit(limits)
        return leaf

    def give_back(self, leaf: Leaf) -> None:
        """Take back the leaf of a cell of which every process is dead."""
        if leaf not in self._all:
            return  # closed already
        self._idle.append(leaf)
        if len(self._idle) > _MOST_IDLE:
            self._remove(self._idle.popleft())

    def close(self) -> None:
        """Close the descriptors of every leaf, also of those that were not given back."""
        for leaf in self._all:
            leaf.close()
        self._all.clear()
        self._idle.clear()

    def _reusable(self) -> Leaf | None:
        """The leaf that has been idle longest: its last pages have had time to be freed."""
        if not self._idle:
            return None
        leaf = self._idle.popleft()
        if leaf.reusable():
            return leaf
        self._remove(leaf)
        return None

    def _remove(self, leaf: Leaf) -> None:
        self._all.discard(leaf)
        leaf.close()
        try:
            leaf.remove()
        except CgroupError as error:
            # Not to be used again; it goes with its container's tree.
            logger.warning("%s", error)

    def _make(self) -> Leaf:
        self._made += 1
        leaf = self._tree.leaf(f"cell{self._made}")
        self._all.add(leaf)
        return leaf
