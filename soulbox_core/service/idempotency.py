"""Requests with an Idempotency-Key: each runs once, and whoever repeats it gets its answer.

After draft-ietf-httpapi-idempotency-key-header-07.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import msgspec

from soulbox_core.errors import IdempotencyMismatch, InvalidRequest, Overloaded
from soulbox_core.model import Limits, Outcome, RunRequest

_OVERHEAD_BYTES = 2048
"""What an answer takes besides its output."""
_ENTRY_BYTES = 256
"""What each entry of a list in it takes besides its text."""
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
"""Equal requests are equal, whatever the order of their variables."""

Name = tuple[str, str]
"""A caller, and a key of its choice."""
Work = Callable[[], Awaitable[Outcome]]


class Repeats(Protocol):
    """Where other nodes see which keys were used, and what came of it."""

    async def once(self, caller: str, key: str, fingerprint: bytes, work: Work) -> Outcome:
        """Do the work, or return what came of it on another node.

        :raises IdempotencyMismatch: the key came with another request there
        :raises StoreFailed: nobody can tell; it is not done
        """


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


class _Answers:
    """Those of one caller, the oldest first."""

    def __init__(self) -> None:
        self.kept: OrderedDict[str, _Kept] = OrderedDict()
        self.size = 0

    def add(self, key: str, kept: _Kept) -> None:
        self.kept[key] = kept
        self.size += kept.size

    def drop_oldest(self) -> int:
        """:return: the bytes that it held"""
        _, kept = self.kept.popitem(last=False)
        self.size -= kept.size
        return kept.size

    def forget(self, now: float) -> int:
        """Drop what is over.

        :return: the bytes that it held
        """
        before = self.size
        while self.kept and next(iter(self.kept.values())).expires_at <= now:
            self.drop_oldest()
        return before - self.size


class Idempotency:
    """Remembers answers, in this process's memory and, if there are other nodes, for them too.

    A run with a key goes on when its client hangs up: to come back for the answer is what the key
    is for. So what it may come to hold is set aside here when it starts.

    :param seconds: how long an answer is kept
    :param most_bytes: how much is held; the oldest answer of who has most goes first, so that
        nobody's retry runs twice because of somebody else
    :param elsewhere: what other nodes do; None if there are none
    """

    def __init__(
        self,
        seconds: float,
        most_bytes: int,
        clock: Callable[[], float] = monotonic,
        elsewhere: Repeats | None = None,
    ) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._clock = clock
        self._elsewhere = elsewhere
        self._kept: dict[str, _Answers] = {}
        self._under_way: dict[Name, _UnderWay] = {}
        self._set_aside = 0
        self._kept_bytes = 0

    @property
    def held_bytes(self) -> int:
        """What is kept, and what is set aside for runs under way."""
        return self._set_aside + self._kept_bytes

    async def once(self, name: Name, request: RunRequest, limits: Limits, work: Work) -> Outcome:
        """Do the work, or return what came of it when it was done first.

        What fails is told to all who wait, and forgotten: who asks again has it done again.

        :param limits: what the run may use
        :raises IdempotencyMismatch: the key came with another request
        :raises InvalidRequest: the run may come to hold more than can be kept at all
        :raises Overloaded: there is no room for what it may come to hold now
        :raises StoreFailed: nobody can tell what other nodes did; it is not done
        """
        fingerprint = hashlib.sha256(_ENCODER.encode(request)).digest()
        kept = self._find(name)
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
        if set_aside > self._most_bytes:
            raise InvalidRequest(
                f"with it a run may hold {self._most_bytes} bytes and this one {set_aside}; ask"
                " for a smaller output_bytes or output_file_bytes, or leave it out",
                field="idempotency-key",
            )
        self._make_room(set_aside)
        self._set_aside += set_aside
        task = asyncio.ensure_future(self._done(name, fingerprint, work))
        self._under_way[name] = _UnderWay(fingerprint, task)

        def ended(task: "asyncio.Task[Outcome]") -> None:
            del self._under_way[name]
            self._set_aside -= set_aside
            # Also fetches an exception that nobody is there any more to be told of.
            if not task.cancelled() and task.exception() is None:
                self._keep(name, fingerprint, task.result())

        task.add_done_callback(ended)
        return task

    async def _done(self, name: Name, fingerprint: bytes, work: Work) -> Outcome:
        if self._elsewhere is None:
            return await work()
        caller, key = name
        return await self._elsewhere.once(caller, key, fingerprint, work)

    def _keep(self, name: Name, fingerprint: bytes, outcome: Outcome) -> None:
        caller, key = name
        kept = _Kept(fingerprint, outcome, _size(outcome), self._clock() + self._seconds)
        self._kept.setdefault(caller, _Answers()).add(key, kept)
        self._kept_bytes += kept.size
        self._make_room(0)

    def _find(self, name: Name) -> _Kept | None:
        caller, key = name
        answers = self._kept.get(caller)
        if answers is None:
            return None
        self._kept_bytes -= answers.forget(self._clock())
        if not answers.kept:
            del self._kept[caller]
        return answers.kept.get(key)

    def _make_room(self, size: int) -> None:
        if self._set_aside + size > self._most_bytes:
            raise Overloaded(
                "the runs with an Idempotency-Key leave no room for this one; try again later"
            )
        while self.held_bytes + size > self._most_bytes:
            greatest = max(self._kept, key=lambda caller: self._kept[caller].size)
            self._kept_bytes -= self._kept[greatest].drop_oldest()
            if not self._kept[greatest].kept:
                del self._kept[greatest]


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
    """What an answer holds in memory, about."""
    compiled = 0 if outcome.compilation is None else len(outcome.compilation.output)
    files = sum(len(file.path) + len(file.content) for file in outcome.output_files)
    texts = (
        *outcome.outputs_missing,
        *outcome.outputs_skipped,
        *(visit.host for visit in outcome.network or ()),
    )
    entries = len(texts) + len(outcome.output_files)
    return (
        len(outcome.stdout)
        + len(outcome.stderr)
        + compiled
        + files
        + sum(map(len, texts))
        + entries * _ENTRY_BYTES
        + _OVERHEAD_BYTES
    )
