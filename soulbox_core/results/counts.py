"""How the result cache does."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Since the process started; `bytes` and `entries` are what is in memory now."""

    hits_memory: int = 0
    hits_redis: int = 0
    joined: int = 0
    """Requests that waited for an equal one under way."""
    misses: int = 0
    """Runs that were done, whether or not something came of them."""
    damaged: int = 0
    """Entries and notices that were not what we wrote, and were not believed."""
    dropped: int = 0
    """Answers that did not get to Redis: too many waited, or it gave no answer."""
    evicted: int = 0
    """Entries that made room in memory for others."""
    stored: int = 0
    """Answers that were kept."""
    redis_failures: int = 0
    """Times that Redis was asked and gave no answer."""
    bytes: int = 0
    entries: int = 0
