"""Compile steps done by helpers that stay warm, in place of a new compiler for each."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from soulbox_core.errors import SandboxError
from soulbox_core.execution.helper_pool import HelperPool
from soulbox_core.execution.helper_process import Ended, HelperProcess
from soulbox_core.model import Limits, OutputFile, SourceFile, Value
from soulbox_core.sandbox.port import Sandbox

_OVERHEAD_BYTES = 2 << 20
"""Room for the paths of an answer's files."""


class HelperRequest(Value):
    """What a helper is asked, as it is sent: contents travel as base64."""

    argv: tuple[str, ...]
    entrypoint: str
    files: tuple[SourceFile, ...]


class HelperAnswer(Value):
    """What came of a compile."""

    ok: bool
    output: bytes = b""
    """What the compiler said, at most `limits.output_bytes` of it."""
    truncated: bool = False
    """It said more."""
    files: tuple[OutputFile, ...] = ()
    """As the helper named them: their paths are not checked."""
    stopped_by: Literal["wall", "memory", "output"] | None = None
    """The limit that the compile ran into, `output` being the one for files or an answer beyond
    all bounds; `ok` is then False and there is nothing else."""


class _Line(msgspec.Struct):
    """An answer, as it is received."""

    ok: bool
    output: str = ""
    files: tuple[OutputFile, ...] = ()


class Helpers:
    """Does the compile steps of one language in helpers, each in a cold cell of its own.

    No user code is executed in them. CPU time is not counted for each compile: its wall time
    bounds it.

    :param argv: command line of the helper
    :param limits: of a helper's cell; and `wall_seconds`, `output_bytes` and
        `output_file_bytes` of each compile
    :param count: helpers that are kept; there is one more for each while it is replaced
    :param compiles: compiles after which a helper is replaced
    """

    def __init__(
        self,
        sandbox: Sandbox,
        language: str,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        limits: Limits,
        count: int,
        compiles: int,
    ) -> None:
        self._language = language
        self._limits = limits
        # In JSON a byte takes at most six, as \u0000 does; in base64 three take four.
        line_bytes = limits.output_file_bytes * 4 // 3 + limits.output_bytes * 6 + _OVERHEAD_BYTES
        self._pool = HelperPool(
            language,
            lambda: HelperProcess(sandbox, language, argv, env, limits, line_bytes, compiles),
            count,
        )
        self._asking: set[asyncio.Task[Any]] = set()

    @property
    def ready(self) -> bool:
        """Whether a compile would not have to wait for a helper to start."""
        return self._pool.ready

    async def start(self) -> None:
        """Start them, and wait until each is ready or has failed once. What fails is logged and
        tried again, with growing pauses.
        """
        await self._pool.start()

    async def close(self) -> None:
        """Kill them; who waits for one is refused. Safe to call twice."""
        await self._pool.close()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def compile(self, request: HelperRequest) -> HelperAnswer:
        """Have a helper do it, the first one that is free.

        A caller that is cancelled leaves; the helper finishes for nobody and is used again.

        :raises SandboxError: no helper starts, or two failed at this request
        """
        line = msgspec.json.encode(request) + b"\n"
        came = await self._attempt(line)
        if isinstance(came, Ended) and came.by in (None, "output"):
            came = await self._attempt(line)  # it may have been that one helper's fault
        if isinstance(came, HelperAnswer):
            return came
        if came.by is not None:
            return HelperAnswer(ok=False, stopped_by=came.by)
        raise SandboxError(f"{self._language}: the compile helper failed twice: {came.why}")

    async def _attempt(self, line: bytes) -> HelperAnswer | Ended:
        helper = await self._pool.claim()
        asking = asyncio.create_task(self._ask(helper, line))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    async def _ask(self, helper: HelperProcess, line: bytes) -> HelperAnswer | Ended:
        try:
            came = await helper.ask(line, self._limits.wall_seconds)
            if isinstance(came, Ended):
                return came
            try:
                return self._read(came)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                ended = Ended(why=f"it answered what cannot be read: {error}")
                helper.kill(ended)
                return ended
        finally:
            self._pool.give_back(helper)

    def _read(self, line: bytes) -> HelperAnswer:
        answer = msgspec.json.decode(line, type=_Line)
        if sum(len(file.content) for file in answer.files) > self._limits.output_file_bytes:
            return HelperAnswer(ok=False, stopped_by="output")
        output = answer.output.encode()
        return HelperAnswer(
            ok=answer.ok,
            output=output[: self._limits.output_bytes],
            truncated=len(output) > self._limits.output_bytes,
            files=answer.files if answer.ok else (),
        )
