"""The use case that all others serve: run a program and say what came of it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from time import perf_counter

import msgspec

from soulbox_core.errors import SandboxError
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.outcome import conclude
from soulbox_core.execution.outputs import Collector
from soulbox_core.execution.plan import Plan, plan
from soulbox_core.model import Event, Finished, Outcome, RunRequest, Started, Value
from soulbox_core.sandbox.port import Sink
from soulbox_core.service.admission import Admission
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.feed import Feed
from soulbox_core.service.ids import new_id
from soulbox_core.service.policy import Policy

logger = logging.getLogger(__name__)

Stdin = AsyncIterator[bytes] | None

CELL_OVERHEAD_BYTES = 4 << 20
"""Kernel memory of a cell that its own limit does not cover, reserved on top of it."""


class _Run(Value):
    """A request that was found good."""

    id: str
    plan: Plan


class Runs:
    """Runs programs, within one caller policy and one admission."""

    def __init__(
        self, catalog: Catalog, policy: Policy, admission: Admission, executor: Executor
    ) -> None:
        self._catalog = catalog
        self._policy = policy
        self._admission = admission
        self._executor = executor

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
        limits = self._policy.limits(request.limits)
        return _Run(id=new_id(), plan=plan(request, language, limits, live=live))

    async def _perform(
        self, run: _Run, sink: Sink, stdin: Stdin, started: Callable[[], None] = lambda: None
    ) -> Outcome:
        """Wait for a turn, run, and judge. Where the output went, the sink knows."""
        asked_at = perf_counter()
        memory_bytes = run.plan.step.limits.memory_bytes + CELL_OVERHEAD_BYTES
        await self._admission.acquire(memory_bytes)
        queue_seconds = perf_counter() - asked_at
        language = run.plan.language
        try:
            ending = await self._executor.run(
                run.plan,
                sink,
                stdin,
                started,
                released=lambda: self._admission.release(memory_bytes),
            )
            outcome = conclude(
                ending, run_id=run.id, language=language, queue_seconds=queue_seconds
            )
        except asyncio.CancelledError:
            logger.info("run %s %s cancelled", run.id, language)
            raise
        except SandboxError as error:
            logger.error("run %s %s %s: %s", run.id, language, error.code, error)
            raise
        _log(outcome)
        return outcome


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
