"""Token buckets in this process's memory."""

from collections.abc import Callable
from time import monotonic_ns

from soulbox_core.model import Standing
from soulbox_core.quotas.bucket import SECOND, Terms, standing, take, terms
from soulbox_core.settings import Rate

MOST = 100_000
"""Buckets kept of one share, some 10 MB of them. Clients can make up addresses, and so names."""
_FEW = 1024


class MemoryBuckets:
    """Buckets by name; one that is full again is as good as one that never was, and forgotten.

    None is forgotten before: then a client with many addresses could have its own emptied bucket
    thrown out, and get a full one in its place. When there is no room, names that are new share
    one bucket. Each share has room of its own, so that no flood of addresses takes it from
    callers who are known.

    :param most: buckets of one share
    :param clock: nanoseconds
    """

    def __init__(self, most: int = MOST, clock: Callable[[], int] = monotonic_ns) -> None:
        self._shares: dict[str, _Share] = {}
        self._most = most
        self._clock = clock

    def __len__(self) -> int:
        return sum(len(share.full_at) for share in self._shares.values())

    def take(self, name: str, rate: Rate, share: str) -> Standing:
        """Take one token out of a bucket, if there is one.

        :param share: one of a few that the service has; never a client's own
        """
        now, of = self._clock(), terms(rate)
        if share not in self._shares:
            self._shares[share] = _Share(self._most)
        full_at, missing = self._shares[share].take(name, now, of)
        return standing(full_at, now, missing, of, share)


class _Share:
    """The buckets of one kind."""

    def __init__(self, most: int) -> None:
        self.full_at: dict[str | Terms, int] = {}
        self._most = most
        self._sweep_size = min(_FEW, most)
        self._sweep_at = 0

    def take(self, name: str, now: int, of: Terms) -> tuple[int, int]:
        key = name if name in self.full_at else self._new(name, now, of)
        full_at, missing = take(self.full_at.get(key, now), now, of)
        self.full_at[key] = full_at
        return full_at, missing

    def _new(self, name: str, now: int, of: Terms) -> str | Terms:
        """Make room for a name; what to keep it under, which is its terms if there is none."""
        if len(self.full_at) >= self._sweep_size and now >= self._sweep_at:
            self._sweep(now)
        return name if len(self.full_at) < self._most else of

    def _sweep(self, now: int) -> None:
        """Forget what is full, rarely enough that it costs each new name next to nothing."""
        self.full_at = {name: full for name, full in self.full_at.items() if full > now}
        self._sweep_size = min(max(_FEW, 2 * len(self.full_at)), self._most)
        if len(self.full_at) >= self._most:
            self._sweep_at = now + SECOND
