"""Runs a plan in a cell: claim, run, discard, and once more if the cell was lost unused."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import perf_counter

from soulbox_core.egress.gateway import Gateway
from soulbox_core.egress.proxy import Proxy
from soulbox_core.errors import CellLost, CellStuck
from soulbox_core.execution.outputs import Capped
from soulbox_core.execution.plan import Plan
from soulbox_core.model import Facts, Sample, Stream, Value, Visit
from soulbox_core.sandbox.port import Sandbox, Sink, Watcher
from soulbox_core.settings import Egress

logger = logging.getLogger(__name__)


class Ending(Value):
    """The facts of a finished plan and where its time went."""

    facts: Facts
    truncated: tuple[Stream, ...]
    claim_seconds: float
    """From asking for a cell to handing it the step; a lost first cell's time included."""
    run_seconds: float
    network: tuple[Visit, ...] | None = None
    """Whom it talked to or tried to; None if it had no way out."""


def _ignore() -> None:
    """For a caller who need not know when the program starts."""


class Executor:
    """Runs plans in the cells of one sandbox.

    :param gateway: the way out of those that have one; by default one of default settings
    """

    def __init__(self, sandbox: Sandbox, gateway: Gateway | None = None) -> None:
        self._sandbox = sandbox
        self._gateway = gateway or Gateway(Egress())

    async def run(
        self,
        plan: Plan,
        sink: Sink,
        stdin: AsyncIterator[bytes] | None = None,
        started: Callable[[], None] = _ignore,
        released: Callable[[], None] = _ignore,
        watcher: Watcher | None = None,
    ) -> Ending:
        """Run the plan to its end. Cancelling kills the cell.

        :param sink: takes the output; never more than the step's output_bytes
        :param started: called when a cell is about to get the step; twice if one was lost
        :param released: called once, when nothing of the run holds memory any more: at its end
            or a little later
        :param watcher: told while the program runs what it uses
        :raises CellLost: the cell died; also the second one, or the program was under way
        :raises ContainerError: no cell can be made now
        """
        asked_at = perf_counter()
        output = Capped(plan.step.limits.output_bytes, sink)
        source = None if stdin is None else _Source(stdin)
        proxy = None if plan.way is None else self._gateway.proxy(plan.way)
        lease = _Lease(released)
        watched = None if watcher is None else _Watched(watcher)
        run = _Run(plan, output, source, proxy, started, lease, watched)
        try:
            return await self._attempts(run, asked_at)
        finally:
            lease.give_back()

    async def _attempts(self, run: "_Run", asked_at: float) -> Ending:
        try:
            return await self._attempt(run, asked_at)
        except CellStuck:
            raise  # it still holds its memory; a second one would take as much again
        except CellLost as error:
            # Nobody has seen anything of this run and its live input is whole, so for the
            # caller a second attempt is the first one.
            if run.noticed:
                raise
            logger.warning("%s: cell lost unused, trying once more: %s", run.plan.language, error)
        return await self._attempt(run, asked_at)

    async def _attempt(self, run: "_Run", asked_at: float) -> Ending:
        plan, proxy = run.plan, run.proxy
        cell = await self._sandbox.claim(plan.language, plan.kind)
        run.lease.take()
        try:
            async with AsyncExitStack() as way_out:
                if proxy is not None:
                    await way_out.enter_async_context(proxy.serving(cell.listener()))
                    # Before its connections are closed, or it would make others.
                    way_out.callback(cell.discard)
                handed_at = perf_counter()
                run.started()
                facts = await cell.run(plan.step, run.output, run.source, run.watched)
                ended_at = perf_counter()
        finally:
            # Synchronous, so that no cancellation can come between.
            cell.discard(run.lease.give_back)
        return Ending(
            facts=facts,
            truncated=run.output.truncated(facts.truncated),
            claim_seconds=handed_at - asked_at,
            run_seconds=ended_at - handed_at,
            network=None if proxy is None else proxy.visits,
        )


@dataclass(frozen=True)
class _Run:
    """A plan under way."""

    plan: Plan
    output: Capped
    source: "_Source | None"
    proxy: Proxy | None
    started: Callable[[], None]
    lease: "_Lease"
    watched: "_Watched | None"

    @property
    def noticed(self) -> bool:
        """Whether anybody outside may know of it."""
        read = self.source is not None and self.source.touched
        called = self.proxy is not None and bool(self.proxy.visits)
        seen = self.watched is not None and self.watched.touched
        return self.output.touched or read or called or seen


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


class _Watched:
    """A watcher that remembers whether it was told anything: what a run used does not shrink."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self.touched = False

    def __call__(self, sample: Sample) -> None:
        self.touched = True
        self._watcher(sample)


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
