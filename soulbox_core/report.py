"""What is known of a run when it is over, and who wants to know."""

from collections.abc import Iterable
from typing import Protocol

from soulbox_core.model import Caller, Limits, Outcome, RunRequest, Value

CANCELLED = "cancelled"
"""The failure of a run whose client hung up."""


class Report(Value):
    """A run that was accepted and is over."""

    id: str
    request: RunRequest
    caller: Caller
    limits: Limits
    began_at: float
    """When it was accepted, in seconds since the epoch."""
    seconds: float
    """From there to its end."""
    outcome: Outcome | None
    """None if it came to none. Its output may be empty: a stream has passed it on."""
    failure: str | None = None
    """Why there is no outcome: `cancelled`, or the code of a refusal or of our failure."""

    @property
    def status(self) -> str:
        """One word of a few for what became of it: a `Status`, `cancelled` or `error`."""
        if self.outcome is not None:
            return self.outcome.status
        return CANCELLED if self.failure == CANCELLED else "error"


class Witness(Protocol):
    """Wants to know of every run that is over."""

    def ended(self, report: Report) -> None:
        """Take note. It is on the way of the answer: quick, and it raises nothing."""


def tell(witnesses: Iterable[Witness], report: Report) -> None:
    """Let all of them take note."""
    for witness in witnesses:
        witness.ended(report)
