"""Requests with an Idempotency-Key: each runs once, and whoever repeats it gets its answer.

After draft-ietf-httpapi-idempotency-key-header-07.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

import msgspec

from soulbox_core.errors import IdempotencyMismatch, Overloaded
from soulbox_core.model import Limits, Outcome, RunRequest

_OVERHEAD_BYTES = 2048
"""What an answer takes besides its output."""

Name = tuple[str, str]
"""A caller, and a key of its choice."""
Work = Callable[[], Awaitable[Outcome]]


@dataclass(frozen=True)
class _Kept:
    fingerprint: bytes
    outcome: Outcome
    size: int
    expires_at: float


@dataclass(frozen=True)
class _UnderWay:
    fingerprint: bytes
    task: "asyncio.Task[Outcome]"


class Idempotency:
    """Remembers answers, in this process's memory.

    A run with a key goes on when its client hangs up: to come back for the answer is what the key
    is for. So what it may come to hold is set aside here when it starts.

    :param seconds: how long an answer is kept
    :param most_bytes: how much is kept; the oldest answers go first
    """

    def __init__(
        self, seconds: float, most_bytes: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[Name, _Kept] = OrderedDict()
        self._under_way: dict[Name, _UnderWay] = {}
        self.held_bytes = 0
        """What is kept, and what is set aside for runs under way."""

    async def once(self, name: Name, request: RunRequest, limits: Limits, work: Work) -> Outcome:
        """Do the work, or return what came of it when it was done first.

        What fails is told to all who wait, and forgotten: who asks again has it done again.

        :param limits: what the run may use
        :raises IdempotencyMismatch: the key came with another request
        :raises Overloaded: there is no room for what the run may come to hold
        """
        fingerprint = hashlib.sha256(msgspec.msgpack.encode(request)).digest()
        self._forget_old()
        kept = self._kept.get(name)
        if kept is not None:
            _check(kept.fingerprint, fingerprint)
            return msgspec.structs.replace(kept.outcome, replayed=True)
        first = self._under_way.get(name)
        if first is not None:
            _check(first.fingerprint, fingerprint)
            return msgspec.structs.replace(await asyncio.shield(first.task), replayed=True)
        return await asyncio.shield(self._start(name, fingerprint, request, limits, work))

    def _start(
        self, name: Name, fingerprint: bytes, request: RunRequest, limits: Limits, work: Work
    ) -> "asyncio.Task[Outcome]":
        set_aside = _most(request, limits)
        self._make_room(set_aside)
        self.held_bytes += set_aside
        task = asyncio.ensure_future(_done(work))
        self._under_way[name] = _UnderWay(fingerprint, task)

        def ended(task: "asyncio.Task[Outcome]") -> None:
            del self._under_way[name]
            self.held_bytes -= set_aside
            # Also fetches an exception that nobody is there any more to be told of.
            if not task.cancelled() and task.exception() is None:
                self._keep(name, fingerprint, task.result())

        task.add_done_callback(ended)
        return task

    def _keep(self, name: Name, fingerprint: bytes, outcome: Outcome) -> None:
        size = _size(outcome)
        self._kept[name] = _Kept(fingerprint, outcome, size, self._clock() + self._seconds)
        self.held_bytes += size

    def _make_room(self, size: int) -> None:
        while self._kept and self.held_bytes + size > self._most_bytes:
            self._drop_oldest()
        if self.held_bytes + size > self._most_bytes:
            raise Overloaded(
                "the runs with an Idempotency-Key leave no room for this one; try again later"
            )

    def _forget_old(self) -> None:
        now = self._clock()
        while self._kept and next(iter(self._kept.values())).expires_at <= now:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, kept = self._kept.popitem(last=False)
        self.held_bytes -= kept.size


def _check(fingerprint: bytes, asked: bytes) -> None:
    if fingerprint != asked:
        raise IdempotencyMismatch


def _most(request: RunRequest, limits: Limits) -> int:
    """The most that a run holds: its request, its output, the files that it brings back."""
    sent = len(request.stdin) + sum(len(file.content) for file in request.files)
    files = limits.output_file_bytes if request.outputs else 0
    # What the compiler says has the same bound as what the program does.
    return sent + 2 * limits.output_bytes + files + _OVERHEAD_BYTES


def _size(outcome: Outcome) -> int:
    compiled = 0 if outcome.compilation is None else len(outcome.compilation.output)
    files = sum(len(file.path) + len(file.content) for file in outcome.output_files)
    return len(outcome.stdout) + len(outcome.stderr) + compiled + files + _OVERHEAD_BYTES


async def _done(work: Work) -> Outcome:
    return await work()
