"""One compile helper: a process in a cell of its own that answers one line with one line."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal

import msgspec

from soulbox_core.errors import SandboxError
from soulbox_core.model import Facts, Limits, Step, Stream, Value
from soulbox_core.sandbox.port import Kind, Sandbox

START_SECONDS = 60.0
"""Longest that a helper may take to get warm."""
FOR_EVER = 10**9
"""Seconds and more than a helper lives. Some thirty years, which kernel and timers can count."""
_NO_END = 1 << 62
"""Bytes: what a helper may write in all its life."""
_STDERR_BYTES = 2000


class Ended(Value):
    """Why a helper is no more."""

    why: str
    by: Literal["wall", "memory", "output"] | None = None
    """The limit that its compile ran into."""


class HelperProcess:
    """Started once, asked one thing at a time, and never repaired.

    :param limits: what the cell may use; its times and output_bytes are not the helper's own
    :param line_bytes: longest answer
    :param compiles: requests after which it is spent
    """

    def __init__(
        self,
        sandbox: Sandbox,
        language: str,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        limits: Limits,
        line_bytes: int,
        compiles: int,
    ) -> None:
        self._sandbox = sandbox
        self._language = language
        self._line_bytes = line_bytes
        self._compiles = compiles
        self._step = Step(
            argv=argv,
            entrypoint="",
            files=(),
            env=env,
            stdin=b"",
            limits=msgspec.structs.replace(
                limits, cpu_seconds=FOR_EVER, wall_seconds=FOR_EVER, output_bytes=_NO_END
            ),
        )
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Ended] = loop.create_future()
        self.spent = asyncio.Event()
        """Set when a successor is wanted: it has ended, or will not be asked much longer."""
        self.asked = 0
        """Requests that it was given."""
        self._requests: asyncio.Queue[bytes] = asyncio.Queue()
        self._answer: asyncio.Future[bytes] | None = loop.create_future()
        """Of the line that is awaited; the first one says that it is ready."""
        self._line = bytearray()
        self._stderr = bytearray()
        self._task = asyncio.create_task(self._run())

    @property
    def is_over(self) -> bool:
        """Whether it cannot be asked any more."""
        return self.ended.done()

    async def ready(self) -> None:
        """Wait until it is warm.

        :raises SandboxError: it does not get so; says why
        """
        first = await self._next_line(START_SECONDS)
        if first is None:
            self.kill(Ended(why=f"it was not ready in {START_SECONDS:g} s"))
        elif isinstance(first, bytes) and not _says_ready(first):
            self.kill(Ended(why=f"its first line was {_shown(first)}"))
        if self.is_over:
            raise SandboxError(self.ended.result().why)

    async def ask(self, request: bytes, wall_seconds: float) -> bytes | Ended:
        """Send a line and wait for the answer. Must not be cancelled: it would not be known
        whose answer comes next.
        """
        self.asked += 1
        if self.asked >= self._compiles:
            self.spent.set()
        self._answer = asyncio.get_running_loop().create_future()
        self._requests.put_nowait(request)
        answer = await self._next_line(wall_seconds)
        if answer is None:
            answer = Ended(why=f"a compile was not done in {wall_seconds:g} s", by="wall")
            self.kill(answer)
        return answer

    def kill(self, ended: Ended) -> None:
        """End it, unless it has ended. Safe to call twice."""
        if not self.is_over:
            self._end(ended)
            self._task.cancel()

    def when_gone(self, call: Callable[[], None]) -> None:
        """Have a function called once its cell was given back."""
        self._task.add_done_callback(lambda _: call())

    async def gone(self) -> None:
        """Wait until its cell was given back."""
        await asyncio.wait((self._task,))

    def _end(self, ended: Ended) -> None:
        if not self.is_over:
            self.ended.set_result(ended)
            self.spent.set()

    async def _next_line(self, seconds: float) -> bytes | Ended | None:
        """The line that is awaited, or why it does not come; None after so many seconds."""
        answer = self._answer
        assert answer is not None
        either: set[asyncio.Future[Any]] = {answer, self.ended}
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        self._answer = None
        if answer.done():
            return answer.result()
        return self.ended.result() if self.is_over else None

    async def _run(self) -> None:
        ended = Ended(why="it was stopped")
        try:
            kind = Kind(scratch_bytes=self._step.limits.scratch_bytes, cold=True)
            cell = await self._sandbox.claim(self._language, kind)
            try:
                facts = await cell.run(self._step, self._take, self._feed())
            finally:
                cell.discard()
            ended = self._judge(facts)
        except SandboxError as error:
            ended = Ended(why=str(error))
        finally:
            self._end(ended)

    def _judge(self, facts: Facts) -> Ended:
        if facts.oom_kills:
            return Ended(why="it ran out of memory", by="memory")
        if facts.exit_code is None:
            why = f"signal {facts.signal} ended it"
        else:
            why = f"it exited with {facts.exit_code}"
        said = self._stderr.decode(errors="replace").strip()
        return Ended(why=f"{why}: {said}" if said else why)

    async def _feed(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._requests.get()

    def _take(self, stream: Stream, data: bytes) -> None:
        """Take what it writes, on the event loop, as it comes."""
        if self.is_over:
            return
        if stream == "stderr":
            self._stderr += data
            del self._stderr[:-_STDERR_BYTES]
            return
        end = data.find(b"\n")
        self._line += data if end < 0 else data[:end]
        if self._answer is None or self._answer.done() or (end >= 0 and end + 1 < len(data)):
            self.kill(Ended(why=f"it wrote unasked: {_shown(data)}"))
        elif len(self._line) > self._line_bytes:
            self.kill(Ended(why=f"its answer passed {self._line_bytes} bytes", by="output"))
        elif end >= 0:
            self._answer.set_result(bytes(self._line))
            self._line.clear()


def _says_ready(line: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(line) == {"ready": True})
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _shown(data: bytes) -> str:
    return repr(data[:80].decode(errors="replace"))
