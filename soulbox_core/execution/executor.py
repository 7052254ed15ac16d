"""Runs a plan in a cell: claim, run, discard, and once more if the cell was lost unused."""

import logging
from collections.abc import AsyncIterator, Callable
from time import perf_counter

from soulbox_core.errors import CellLost, CellStuck
from soulbox_core.execution.outputs import Capped
from soulbox_core.execution.plan import Plan
from soulbox_core.model import Facts, Stream, Value
from soulbox_core.sandbox.port import Sandbox, Sink

logger = logging.getLogger(__name__)


class Ending(Value):
    """The facts of a finished plan and where its time went."""

    facts: Facts
    truncated: tuple[Stream, ...]
    claim_seconds: float
    """From asking for a cell to handing it the step; a lost first cell's time included."""
    run_seconds: float


def _ignore() -> None:
    """For a caller who need not know when the program starts."""


class Executor:
    """Runs plans in the cells of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def run(
        self,
        plan: Plan,
        sink: Sink,
        stdin: AsyncIterator[bytes] | None = None,
        started: Callable[[], None] = _ignore,
        released: Callable[[], None] = _ignore,
    ) -> Ending:
        """Run the plan to its end. Cancelling kills the cell.

        :param sink: takes the output; never more than the step's output_bytes
        :param started: called when a cell is about to get the step; twice if one was lost
        :param released: called once, when nothing of the run holds memory any more: at its end
            or a little later
        :raises CellLost: the cell died; also the second one, or the program was under way
        :raises ContainerError: no cell can be made now
        """
        asked_at = perf_counter()
        output = Capped(plan.step.limits.output_bytes, sink)
        source = None if stdin is None else _Source(stdin)
        lease = _Lease(released)
        try:
            return await self._attempts(plan, output, source, started, asked_at, lease)
        finally:
            lease.give_back()

    async def _attempts(
        self,
        plan: Plan,
        output: Capped,
        source: "_Source | None",
        started: Callable[[], None],
        asked_at: float,
        lease: "_Lease",
    ) -> Ending:
        try:
            return await self._attempt(plan, output, source, started, asked_at, lease)
        except CellStuck:
            raise  # it still holds its memory; a second one would take as much again
        except CellLost as error:
            # Nobody has seen anything of this run and its live input is whole, so for the
            # caller a second attempt is the first one.
            if output.touched or (source is not None and source.touched):
                raise
            logger.warning("%s: cell lost unused, trying once more: %s", plan.language, error)
        return await self._attempt(plan, output, source, started, asked_at, lease)

    async def _attempt(
        self,
        plan: Plan,
        output: Capped,
        stdin: AsyncIterator[bytes] | None,
        started: Callable[[], None],
        asked_at: float,
        lease: "_Lease",
    ) -> Ending:
        cell = await self._sandbox.claim(
            plan.language, scratch_bytes=plan.step.limits.scratch_bytes, cold=plan.cold
        )
        lease.take()
        try:
            handed_at = perf_counter()
            started()
            facts = await cell.run(plan.step, output, stdin)
            ended_at = perf_counter()
        finally:
            cell.discard(lease.give_back)  # synchronous, so that no cancellation can come between
        return Ending(
            facts=facts,
            truncated=output.truncated(facts.truncated),
            claim_seconds=handed_at - asked_at,
            run_seconds=ended_at - handed_at,
        )


class _Lease:
    """Counts who holds a run's memory: the run itself, and each of its cells until it is gone."""

    def __init__(self, released: Callable[[], None]) -> None:
        self._released = released
        self._holders = 1

    def take(self) -> None:
        self._holders += 1

    def give_back(self) -> None:
        self._holders -= 1
        if not self._holders:
            self._released()


class _Source:
    """Live stdin that remembers whether anybody asked it for data.

    Asking counts, not only getting: a reader that is cancelled while it waits may have closed
    the iterator behind it, as an async generator does.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.touched = False

    def __aiter__(self) -> "_Source":
        return self

    async def __anext__(self) -> bytes:
        self.touched = True
        return await anext(self._chunks)
