"""What a pool did since the start, in numbers."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal
from weakref import WeakSet

from soulbox_core.model import Value
from soulbox_core.sandbox.container import Container

End = Literal["lost", "replaced", "closed"]
"""Why a container is no more."""


class PoolFigures(Value):
    """How a pool is, and what it did since the start."""

    parked: int
    making: int
    """Cells under way."""
    parked_claims: int
    """Cells that were given out as they were asked for."""
    other_claims: int
    """Those that were waited for."""
    containers_created: int
    containers_destroyed: Mapping[End, int]


class PoolCounts:
    """Counts for a pool."""

    def __init__(self) -> None:
        self.parked_claims = 0
        self.other_claims = 0
        self.created = 0
        """Containers."""
        self._destroyed: Counter[End] = Counter()
        self._ended: WeakSet[Container] = WeakSet()

    def end(self, container: Container, why: End) -> None:
        """Count a container that ends: once, for what came first."""
        if container not in self._ended:
            self._ended.add(container)
            self._destroyed[why] += 1

    def figures(self, parked: int, making: int) -> PoolFigures:
        """Them, and how the pool is now."""
        return PoolFigures(
            parked=parked,
            making=making,
            parked_claims=self.parked_claims,
            other_claims=self.other_claims,
            containers_created=self.created,
            containers_destroyed=dict(self._destroyed),
        )
