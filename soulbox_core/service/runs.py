"""The use case that all others serve: run a program and say what came of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace
from time import perf_counter

import msgspec

from soulbox_core.errors import InvalidRequest
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.outcome import Before, conclude, never_ran
from soulbox_core.execution.outputs import Collector
from soulbox_core.execution.plan import Allowance, Plan, plan
from soulbox_core.language import Language
from soulbox_core.model import Caller, Event, Finished, Limits, Outcome, RunRequest, Started
from soulbox_core.sandbox.port import Sink, Watcher
from soulbox_core.service.account import Account, Accounts
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
from soulbox_core.service.recall import Recall
from soulbox_core.service.reservation import Reservation
from soulbox_core.service.room import room_of
from soulbox_core.settings import LimitSettings

Stdin = AsyncIterator[bytes] | None


@dataclass(frozen=True)
class _Asked:
    """A request that its caller may make."""

    request: RunRequest
    language: Language
    caller: Caller
    policy: Policy
    limits: Limits


@dataclass(frozen=True)
class _Run:
    """A request that can be run, too."""

    id: str
    caller: Caller
    policy: Policy
    plan: Plan
    layer: Layer | None
    account: Account
    watcher: Watcher | None = None
    """Is told what it uses while it goes on."""


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
        accounts: Accounts,
        limits: LimitSettings,
        recall: Recall | None = None,
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
        self._accounts = accounts
        self._limits = limits
        self._recall = recall

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
        if request.usage_events:
            raise InvalidRequest(
                "what a run uses is told while it goes on; accept a stream, or leave it out",
                field="usage_events",
            )
        asked = self._asked(request, caller)
        if idempotency_key is None:
            return await self._answered(asked, stdin)
        return await self._idempotency.once(
            (caller.id, idempotency_key),
            request,
            asked.limits,
            lambda: self._answered(asked, stdin),
        )

    async def stream(
        self, request: RunRequest, caller: Caller, stdin: Stdin = None
    ) -> AsyncGenerator[Event, None]:
        """Run a program and yield Started, a Chunk for each piece of output, and Finished.

        If the request asks for them, also Samples, from Started on.

        Closing the generator, or cancelling its reader, kills the cell at once. A refused
        request raises before the first event, so that fetching one tells.

        :raises RequestError: refused; nothing was run
        :raises SandboxError: our failure, possibly after events
        """
        run = self._accept(self._asked(request, caller), live=True)
        feed = Feed()
        if request.usage_events:
            run = replace(run, watcher=feed.note)
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

    def _asked(self, request: RunRequest, caller: Caller) -> _Asked:
        policy = self._policies.of(caller)
        policy.check(request)
        return _Asked(
            request=request,
            language=self._catalog.language(request.language),
            caller=caller,
            policy=policy,
            limits=policy.limits(request.limits),
        )

    def _accept(self, asked: _Asked, *, live: bool) -> _Run:
        request, language, policy = asked.request, asked.language, asked.policy
        allowance = Allowance(
            run=asked.limits,
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
        id = new_id()
        account = self._accounts.account(id, request, asked.caller, asked.limits)
        return _Run(
            id=id,
            caller=asked.caller,
            policy=policy,
            plan=planned,
            layer=layer,
            account=account,
        )

    async def _answered(self, asked: _Asked, stdin: Stdin) -> Outcome:
        """What came of it, now or, where that will do, before."""
        recall = self._recall
        if recall is None or stdin is not None or not recall.wants(asked.request, asked.policy):
            return await self._collected(asked, stdin)
        return await recall.answer(
            asked.request,
            asked.limits,
            asked.caller,
            asked.policy,
            lambda: self._collected(asked, None),
        )

    async def _collected(self, asked: _Asked, stdin: Stdin) -> Outcome:
        run = self._accept(asked, live=False)
        output = Collector()
        outcome = await self._perform(run, output, stdin)
        return msgspec.structs.replace(outcome, stdout=output.stdout, stderr=output.stderr)

    async def _perform(
        self, run: _Run, sink: Sink, stdin: Stdin, started: Callable[[], None] = lambda: None
    ) -> Outcome:
        """Run within what the caller may use. Where the output went, the sink knows."""
        taken = self._allotments.taken(run.caller.id, run.policy, run.plan.step.limits)
        async with taken as allotment:
            return await self._in_turn(run, sink, stdin, started, allotment)

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
        await self._admission.acquire(reservation.room)
        allotment.begin()
        run.account.charge = allotment
        before = Before(queue_seconds=perf_counter() - asked_at)
        sink = run.account.overheard(sink)
        try:
            with run.account:
                outcome = run.account.outcome = await self._prepare_and_run(
                    run, sink, stdin, started, reservation, before, allotment
                )
        finally:
            reservation.give_back()
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
                allotment.end(0.0)  # what failed came before the program, and is charged already
                if prepared.failure.output:
                    sink("stderr", prepared.failure.output)
                return never_ran(
                    prepared.failure,
                    prepared.before,
                    run_id=run.id,
                    language=plan.language,
                    outputs=plan.step.outputs,
                )
            reservation.shrink(room_of(plan.step.limits))
            started = run.account.started(started)
            released = run.account.released(reservation.hand_on())
            ending = await self._executor.run(
                plan, sink, stdin, started, released=released, watcher=run.watcher
            )
        allotment.end(ending.facts.usage.cpu_seconds)
        return conclude(ending, prepared.before, run_id=run.id, language=plan.language)

    def _reservation(self, run: _Run) -> Reservation:
        """For the step that needs most: who held room for one and asked for more for another
        could wait for ever."""
        step = room_of(run.plan.step.limits)
        return Reservation(self._admission, step | self._preparation.room(run.plan, run.layer))


async def _stop(task: asyncio.Task[Outcome]) -> None:
    """Cancel the run if it goes on, and return when its cell is gone."""
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()  # fetched, so that asyncio does not complain of it at some later time
