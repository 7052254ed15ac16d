"""What is known of a run when it is over, and of a request, and who wants to know."""

from collections.abc import Iterator
from typing import Protocol

from soulbox_core.model import Caller, Limits, Outcome, RunRequest, Status, Value

CANCELLED = "cancelled"
"""What became of a run whose client hung up."""
ERROR = "error"
"""What became of a run in which SoulBox failed."""


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
    """None if it came to none. Its output is empty: it was passed on."""
    failure: str | None = None
    """Why there is no outcome: `cancelled`, or the code of a refusal or of our failure."""
    charged_cpu_seconds: float = 0.0
    """What it is charged for: its own CPU time, that of steps which were done for it before, and
    all that it can have used if it was cut off."""
    stdout: bytes = b""
    """As much of it as records may hold, and a byte more if there was more."""
    stderr: bytes = b""

    @property
    def status(self) -> str:
        """One word of a few for what became of it: a `Status`, `cancelled` or `error`."""
        if self.outcome is not None:
            return self.outcome.status
        return CANCELLED if self.failure == CANCELLED else ERROR


STAGES = ("queue", "install", "compile", "claim", "run")
"""Where the time of a run goes, one after the other; `teardown` comes when it is over."""


def stages(outcome: Outcome) -> Iterator[tuple[str, float]]:
    """The stages that there were, and their seconds."""
    ran = outcome.status not in (Status.COMPILE_FAILED, Status.INSTALL_FAILED)
    for name in STAGES if ran else STAGES[:3]:
        seconds = getattr(outcome.timings, f"{name}_seconds")
        if seconds is not None:
            yield name, seconds


class Witness(Protocol):
    """Wants to know of every run that is over."""

    def ended(self, report: Report) -> None:
        """Take note. It is on the way of the answer: quick, and it raises nothing."""

    def torn_down(self, language: str, seconds: float) -> None:
        """So long after the end of a run nothing of its cell was left."""


class Refusal(Value):
    """Why a request was not answered as its client wished."""

    code: str
    """Of the problem that the client was told."""
    bucket: str | None = None
    """The token bucket that was empty, if that is why."""


class Traffic(Protocol):
    """Wants to know of every request, whatever it asked for and however it was made."""

    def answered(
        self, protocol: str, route: str, code: str, seconds: float, refusal: Refusal | None
    ) -> None:
        """Take note. It is on the way of the next request: quick, and it raises nothing.

        :param protocol: `http`, `websocket` or `grpc`
        :param route: the name of a path or method of ours; `unknown` if there is none
        :param code: HTTP's status, or the name of gRPC's
        """
