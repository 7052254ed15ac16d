"""The use case that all others serve: run a program and say what came of it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from time import perf_counter

import msgspec

from soulbox_core.errors import SandboxError
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.outcome import Before, conclude, never_ran
from soulbox_core.execution.outputs import Collector
from soulbox_core.execution.plan import Allowance, Plan, plan
from soulbox_core.model import Event, Finished, Outcome, RunRequest, Started, Value
from soulbox_core.sandbox.port import Sink
from soulbox_core.service.admission import Admission
from soulbox_core.service.builds import Builds
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.feed import Feed
from soulbox_core.service.ids import new_id
from soulbox_core.service.installs import Installs, Layer
from soulbox_core.service.policy import Policy
from soulbox_core.service.preparation import Preparation
from soulbox_core.service.reservation import Reservation
from soulbox_core.settings import LimitSettings

logger = logging.getLogger(__name__)

Stdin = AsyncIterator[bytes] | None

CELL_OVERHEAD_BYTES = 4 << 20
"""Kernel memory of a cell that its own limit does not cover, reserved on top of it."""


class _Run(Value):
    """A request that was found good."""

    id: str
    plan: Plan
    layer: Layer | None


class Runs:
    """Runs programs, within one caller policy and one admission."""

    def __init__(
        self,
        catalog: Catalog,
        policy: Policy,
        admission: Admission,
        installs: Installs,
        builds: Builds,
        executor: Executor,
        limits: LimitSettings,
    ) -> None:
        self._catalog = catalog
        self._policy = policy
        self._admission = admission
        self._installs = installs
        self._builds = builds
        self._preparation = Preparation(installs, builds)
        self._executor = executor
        self._limits = limits

    async def execute(self, request: RunRequest, stdin: Stdin = None) -> Outcome:
        """Run a program to its end. Cancelling kills its cell at once.

        :param stdin: replaces the request's stdin and is fed to the program as it comes
        :raises RequestError: refused; nothing was run
        :raises SandboxError: our failure
        """
        run = self._accept(request, live=False)
        output = Collector()
        outcome = await self._perform(run, output, stdin)
        return msgspec.structs.replace(outcome, stdout=output.stdout, stderr=output.stderr)

    async def stream(self, request: RunRequest, stdin: Stdin = None) -> AsyncGenerator[Event, None]:
        """Run a program and yield Started, a Chunk for each piece of output, and Finished.

        Closing the generator, or cancelling its reader, kills the cell at once. A refused
        request raises before the first event, so that fetching one tells.

        :raises RequestError: refused; nothing was run
        :raises SandboxError: our failure, possibly after events
        """
        run = self._accept(request, live=True)
        feed = Feed()
        started = Started(id=run.id, language=run.plan.language)
        # A task, since the program must not wait for a slow reader to hit its limits.
        task = asyncio.create_task(self._perform(run, feed.put, stdin, lambda: feed.start(started)))
        task.add_done_callback(lambda _: feed.close())
        try:
            async for event in feed.events():
                yield event
            yield Finished(outcome=await task)
        finally:
            await _stop(task)

    def _accept(self, request: RunRequest, *, live: bool) -> _Run:
        language = self._catalog.language(request.language)
        allowance = Allowance(
            run=self._policy.limits(request.limits),
            compile=self._limits.compile,
            booted=self._limits.default,
        )
        layer = self._installs.layer(language, request.dependencies)
        planned = plan(
            request,
            language,
            allowance,
            self._builds.key,
            live=live,
            dependencies=None if layer is None else layer.directory,
        )
        return _Run(id=new_id(), plan=planned, layer=layer)

    async def _perform(
        self, run: _Run, sink: Sink, stdin: Stdin, started: Callable[[], None] = lambda: None
    ) -> Outcome:
        """Wait for a turn, run, and judge. Where the output went, the sink knows."""
        asked_at = perf_counter()
        reservation = self._reservation(run)
        await self._admission.acquire(reservation.bytes)
        before = Before(queue_seconds=perf_counter() - asked_at)
        try:
            outcome = await self._prepare_and_run(run, sink, stdin, started, reservation, before)
        except asyncio.CancelledError:
            logger.info("run %s %s cancelled", run.id, run.plan.language)
            raise
        except SandboxError as error:
            logger.error("run %s %s %s: %s", run.id, run.plan.language, error.code, error)
            raise
        finally:
            reservation.give_back()
        _log(outcome)
        return outcome

    async def _prepare_and_run(
        self,
        run: _Run,
        sink: Sink,
        stdin: Stdin,
        started: Callable[[], None],
        reservation: Reservation,
        before: Before,
    ) -> Outcome:
        plan = run.plan
        async with self._preparation.done(plan, run.layer, before) as prepared:
            if prepared.failure is not None:
                if prepared.failure.output:
                    sink("stderr", prepared.failure.output)
                return never_ran(
                    prepared.failure,
                    prepared.before,
                    run_id=run.id,
                    language=plan.language,
                    outputs=plan.step.outputs,
                )
            reservation.shrink(plan.step.limits.memory_bytes + CELL_OVERHEAD_BYTES)
            released = reservation.hand_on()
            ending = await self._executor.run(plan, sink, stdin, started, released=released)
        return conclude(ending, prepared.before, run_id=run.id, language=plan.language)

    def _reservation(self, run: _Run) -> Reservation:
        """For the step that needs most: who held memory for one and asked for more for another
        could wait for ever."""
        most = max(
            run.plan.step.limits.memory_bytes, self._preparation.memory_bytes(run.plan, run.layer)
        )
        return Reservation(self._admission, most + CELL_OVERHEAD_BYTES)


def _log(outcome: Outcome) -> None:
    """One line a run. Never its code or output."""
    logger.info(
        "run %s %s %s: queue %.4f s, claim %.4f s, run %.4f s, cpu %.4f s",
        outcome.id,
        outcome.language,
        outcome.status,
        outcome.timings.queue_seconds,
        outcome.timings.claim_seconds,
        outcome.timings.run_seconds,
        outcome.usage.cpu_seconds,
    )


async def _stop(task: asyncio.Task[Outcome]) -> None:
    """Cancel the run if it goes on, and return when its cell is gone."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()  # fetched, so that asyncio does not complain of it at some later time
