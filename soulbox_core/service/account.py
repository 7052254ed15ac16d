"""What became of a run, for those who want to know."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter, time
from types import TracebackType
from typing import Protocol

from soulbox_core.errors import RequestError, SandboxError
from soulbox_core.execution.outputs import Capped, Collector
from soulbox_core.model import Caller, Limits, Outcome, RunRequest, Stream
from soulbox_core.report import CANCELLED, Report, Witness
from soulbox_core.sandbox.port import Sink

logger = logging.getLogger(__name__)

_FOREIGN = "internal_error"
"""The failure that nobody foresaw; it has the same name where clients are told."""


class Charge(Protocol):
    """What a run has to pay for."""

    @property
    def cpu_seconds(self) -> float:
        """CPU time, of what came before the program too; of one that was cut off, all that it can
        have used."""


class Accounts:
    """Opens the accounts of runs.

    :param witnesses: are told of each run, in this order
    :param output_bytes: as much of each of its streams as they want, 0 for none; one byte more is
        kept, which tells that there was more
    """

    def __init__(self, witnesses: Iterable[Witness] = (), output_bytes: int = 0) -> None:
        self._witnesses = tuple(witnesses)
        self._output_bytes = output_bytes

    def account(self, id: str, request: RunRequest, caller: Caller, limits: Limits) -> "Account":
        """The account of a run that is accepted now."""
        return Account(self._witnesses, self._output_bytes, id, request, caller, limits)


@dataclass
class _Times:
    """When it was, by the clock of `perf_counter`."""

    began: float
    ended: float | None = None
    had_cell: bool = False


class Account:
    """A context around a run, at whose end the witnesses are told, whatever the end is."""

    def __init__(
        self,
        witnesses: tuple[Witness, ...],
        output_bytes: int,
        id: str,
        request: RunRequest,
        caller: Caller,
        limits: Limits,
    ) -> None:
        self._witnesses = witnesses
        self._id = id
        self._request = request
        self._caller = caller
        self._limits = limits
        self._began_at = time()
        self._times = _Times(began=perf_counter())
        self._output_bytes = output_bytes
        self._excerpt = Collector()
        self.outcome: Outcome | None = None
        """To be set before the context ends, if there is one."""
        self.charge: Charge | None = None
        """Knows what the run is charged for, when it is over."""

    def overheard(self, sink: Sink) -> Sink:
        """The sink, as one that keeps what witnesses want of it."""
        if not self._output_bytes:
            return sink
        excerpts = {
            stream: Capped(self._output_bytes + 1, self._excerpt) for stream in ("stdout", "stderr")
        }

        def both(stream: Stream, data: bytes) -> None:
            excerpts[stream](stream, data)
            sink(stream, data)

        return both

    def started(self, start: Callable[[], None]) -> Callable[[], None]:
        """What is to be called when a cell is about to get the program, as what notes it."""
        times = self._times

        def begin() -> None:
            times.had_cell = True
            start()

        return begin

    def released(self, release: Callable[[], None]) -> Callable[[], None]:
        """What is to be called when nothing of the run's cell is left, as what tells of it.

        It holds on to nothing of the request: a cell that is slow to die outlives its answer.
        One that a limit has ended may be gone before the run is over.
        """
        witnesses, language, times = self._witnesses, self._request.language, self._times

        def gone() -> None:
            release()
            if not times.had_cell:
                return
            seconds = 0.0 if times.ended is None else perf_counter() - times.ended
            _tell(witnesses, lambda witness: witness.torn_down(language, seconds))

        return gone

    def __enter__(self) -> "Account":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        ended = self._times.ended = perf_counter()
        report = Report(
            id=self._id,
            request=self._request,
            caller=self._caller,
            limits=self._limits,
            began_at=self._began_at,
            seconds=ended - self._times.began,
            outcome=self.outcome,
            failure=None if error is None else _failure(error),
            charged_cpu_seconds=0.0 if self.charge is None else self.charge.cpu_seconds,
            stdout=self._excerpt.stdout,
            stderr=self._excerpt.stderr,
        )
        _tell(self._witnesses, lambda witness: witness.ended(report))


def _tell(witnesses: Iterable[Witness], say: Callable[[Witness], None]) -> None:
    """Tell all of them. One that fails is our failure, and neither the run's nor the others'."""
    for witness in witnesses:
        try:
            say(witness)
        except Exception:
            # A border: a witness may be anybody's, and the run has its answer whatever it does.
            logger.exception("%s failed", type(witness).__name__)


def _failure(error: BaseException) -> str:
    if isinstance(error, asyncio.CancelledError):
        return CANCELLED
    return error.code if isinstance(error, RequestError | SandboxError) else _FOREIGN
