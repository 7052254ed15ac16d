"""How much CPU time callers used on one day."""

MOST = 100_000
"""Callers on one day. Where nobody proves who they are, addresses are callers, and many."""
OTHERS = ""
"""Who the rest are, all together."""


class Book:
    """Seconds by caller; a new day is a new page."""

    def __init__(self, day: str = "", seconds: dict[str, float] | None = None) -> None:
        self.day = day
        self.seconds = seconds or {}

    def get(self, caller: str, day: str) -> float:
        """Seconds that a caller used on a day, as far as it is this page's."""
        if day != self.day:
            return 0.0
        return self.seconds.get(self.name(caller), 0.0)

    def add(self, caller: str, day: str, seconds: float) -> None:
        """Write down more; a later day than this page's begins a new one."""
        if day < self.day:
            return  # a clock that was set back shall not throw away what is known
        if day > self.day:
            self.day, self.seconds = day, {}
        name = self.name(caller)
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def name(self, caller: str) -> str:
        """What a caller is written down as."""
        return caller if caller in self.seconds or len(self.seconds) < MOST else OTHERS
