"""How much of what costs a client nothing, and us something, one connection may send."""

from time import monotonic


class Budget:
    """A bucket that is filled only when it is empty, so that spending costs next to nothing: after
    a rest there is what was left in it and one filling more.

    :param most: what it holds, and has at the start
    :param per_second: how fast it fills
    """

    __slots__ = ("_filled_at", "_left", "_most", "_per_second")

    def __init__(self, most: float, per_second: float) -> None:
        self._most = most
        self._per_second = per_second
        self._left = most
        self._filled_at = monotonic()

    def spend(self, cost: float) -> bool:
        """Take that much out; False if there was not so much in it."""
        self._left -= cost
        if self._left >= 0:
            return True
        now = monotonic()
        gained = (now - self._filled_at) * self._per_second
        self._filled_at = now
        self._left = min(self._most, self._left + gained)
        return self._left >= 0

    def earn(self, gain: float) -> None:
        """Put that much in, as far as it fits."""
        self._left = min(self._most, self._left + gain)
