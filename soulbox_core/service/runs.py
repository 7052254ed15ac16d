"""The use case that all others serve: run a program and say what came of it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from time import perf_counter

import msgspec

from soulbox_core.errors import SandboxError
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.outcome import Before, conclude, never_ran
from soulbox_core.execution.outputs import Collector
from soulbox_core.execution.plan import Allowance, Plan, plan
from soulbox_core.model import Caller, Event, Finished, Outcome, RunRequest, Started
from soulbox_core.sandbox.port import Sink
from soulbox_core.service.admission import Admission
from soulbox_core.service.allotment import Allotment, Allotments
from soulbox_core.service.builds import Builds
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.feed import Feed
from soulbox_core.service.idempotency import Idempotency
from soulbox_core.service.ids import new_id
from soulbox_core.service.installs import Installs, Layer
from soulbox_core.service.policy import Policies, Policy
from soulbox_core.service.preparation import Preparation
from soulbox_core.service.reservation import Reservation
from soulbox_core.settings import LimitSettings

logger = logging.getLogger(__name__)

Stdin = AsyncIterator[bytes] | None

CELL_OVERHEAD_BYTES = 4 << 20
"""Kernel memory of a cell that its own limit does not cover, reserved on top of it."""


@dataclass(frozen=True)
class _Run:
    """A request that was found good."""

    id: str
    caller: Caller
    policy: Policy
    plan: Plan
    layer: Layer | None


class Runs:
    """Runs programs, each within its caller's policy, all within one admission."""

    def __init__(
        self,
        catalog: Catalog,
        policies: Policies,
        allotments: Allotments,
        admission: Admission,
        installs: Installs,
        builds: Builds,
        executor: Executor,
        idempotency: Idempotency,
        limits: LimitSettings,
    ) -> None:
        self._catalog = catalog
        self._policies = policies
        self._allotments = allotments
        self._admission = admission
        self._installs = installs
        self._builds = builds
        self._preparation = Preparation(installs, builds)
        self._executor = executor
        self._idempotency = idempotency
        self._limits = limits

    async def execute(
        self,
        request: RunRequest,
        caller: Caller,
        stdin: Stdin = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Run a program to its end. Cancelling kills its cell at once, unless it has a key.

        :param idempotency_key: run it once, however often it is asked for with this key
        :param stdin: replaces the request's stdin and is fed to the program as it comes
        :raises RequestError: refused; nothing was run
        :raises SandboxError: our failure
        """
        run = self._accept(request, caller, live=False)
        if idempotency_key is None:
            return await self._collected(run, stdin)
        return await self._idempotency.once(
            (caller.id, idempotency_key),
            request,
            run.plan.step.limits,
            lambda: self._collected(run, stdin),
        )

    async def stream(
        self, request: RunRequest, caller: Caller, stdin: Stdin = None
    ) -> AsyncGenerator[Event, None]:
        """Run a program and yield Started, a Chunk for each piece of output, and Finished.

        Closing the generator, or cancelling its reader, kills the cell at once. A refused
        request raises before the first event, so that fetching one tells.

        :raises RequestError: refused; nothing was run
        :raises SandboxError: our failure, possibly after events
        """
        run = self._accept(request, caller, live=True)
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

    def _accept(self, request: RunRequest, caller: Caller, *, live: bool) -> _Run:
        language = self._catalog.language(request.language)
        policy = self._policies.of(caller)
        policy.check(request)
        allowance = Allowance(
            run=policy.limits(request.limits),
            compile=self._limits.compile,
            booted=self._limits.default,
        )
        layer = self._installs.layer(language, request.dependencies, policy.hidden)
        planned = plan(
            request,
            language,
            allowance,
            self._builds.key,
            live=live,
            dependencies=None if layer is None else layer.directory,
            hidden=policy.hidden,
        )
        return _Run(id=new_id(), caller=caller, policy=policy, plan=planned, layer=layer)

    async def _collected(self, run: _Run, stdin: Stdin) -> Outcome:
        output = Collector()
        outcome = await self._perform(run, output, stdin)
        return msgspec.structs.replace(outcome, stdout=output.stdout, stderr=output.stderr)

    async def _perform(
        self, run: _Run, sink: Sink, stdin: Stdin, started: Callable[[], None] = lambda: None
    ) -> Outcome:
        """Run within what the caller may use. Where the output went, the sink knows."""
        taken = self._allotments.taken(run.caller.id, run.policy, run.plan.step.limits)
        async with taken as allotment:
            outcome = await self._in_turn(run, sink, stdin, started, allotment)
            allotment.end(outcome.usage.cpu_seconds)
        return outcome

    async def _in_turn(
        self,
        run: _Run,
        sink: Sink,
        stdin: Stdin,
        started: Callable[[], None],
        allotment: Allotment,
    ) -> Outcome:
        """Wait for a turn, run, and judge."""
        asked_at = perf_counter()
        reservation = self._reservation(run)
        await self._admission.acquire(reservation.bytes)
        allotment.begin()
        before = Before(queue_seconds=perf_counter() - asked_at)
        try:
            outcome = await self._prepare_and_run(
                run, sink, stdin, started, reservation, before, allotment
            )
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
        allotment: Allotment,
    ) -> Outcome:
        plan = run.plan
        async with self._preparation.done(plan, run.layer, before) as prepared:
            allotment.prepared(prepared.before.cpu_seconds)
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
