"""What a key or token may be good for."""

from collections.abc import Iterable

EXECUTE = "execute"
"""Run programs, and ask what can be run."""
ADMIN = "admin"
"""Make, list and revoke keys, read everybody's records, remove kept answers; it holds every other
scope too."""
METRICS = "metrics"
"""Read the service's metrics."""
SCOPES = (EXECUTE, METRICS, ADMIN)


def held(scopes: Iterable[str]) -> frozenset[str]:
    """All that these scopes are good for."""
    chosen = frozenset(scopes)
    return frozenset(SCOPES) if ADMIN in chosen else chosen
