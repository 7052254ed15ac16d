"""What the HTTP side serves besides runs."""

from collections.abc import Callable
from dataclasses import dataclass

from soulbox_core.api.ports import Identity, Results
from soulbox_core.report import Traffic
from soulbox_core.store.port import Executions, Health


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Parts of the service that can be switched off, and are None then."""

    identity: Identity | None = None
    """Makes what callers show; None where they need not prove who they are."""
    executions: Executions | None = None
    """The records of runs."""
    results: Results | None = None
    """The result cache."""
    health: Callable[[], Health] | None = None
    """How the database is."""
    metrics: Callable[[], bytes] | None = None
    """Their text."""
    traffic: Traffic | None = None
    """Wants to know of requests."""


NONE = Extras()
