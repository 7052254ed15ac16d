"""A sandbox without cells: it implements the port and lets a test say what programs do."""

import asyncio
import shutil
import socket
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from soulbox_core.egress.gateway import Gateway
from soulbox_core.errors import CellLost
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.execution.compile_cache import CompileCache
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.installer import Installer
from soulbox_core.model import Facts, Step, Stream, Usage
from soulbox_core.sandbox.port import Kind, Sink, Watcher
from soulbox_core.service.builds import Builds, Toolchain
from soulbox_core.service.installs import Installs, Reach
from soulbox_core.settings import Egress, LimitSettings

Program = Callable[[Step, Sink, AsyncIterator[bytes] | None], Awaitable[Facts]]


def facts(**changes: Any) -> Facts:
    """The facts of a program that exited with 0, changed as told."""
    usual: dict[str, Any] = {
        "exit_code": 0,
        "signal": None,
        "stopped_by": None,
        "oom_kills": 0,
        "refused_forks": 0,
        "scratch_full": False,
        "usage": Usage(wall_seconds=0.5, cpu_seconds=0.25, memory_peak_bytes=1 << 20),
    }
    return Facts(**(usual | changes))


def prints(*chunks: tuple[Stream, bytes], **changes: Any) -> Program:
    """A program that writes these chunks and ends."""

    async def program(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
        for stream, data in chunks:
            sink(stream, data)
            await asyncio.sleep(0)
        return facts(**changes)

    return program


hello = prints(("stdout", b"Hello, World!\n"))


async def hangs(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
    """A program that never ends by itself."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def echoes(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
    """A program that writes what it reads, as it comes."""
    if stdin is None:
        sink("stdout", step.stdin)
    else:
        async for chunk in stdin:
            sink("stdout", chunk)
    return facts()


def is_lost(*chunks: tuple[Stream, bytes], reads: bool = False) -> Program:
    """A cell that dies after its program wrote these chunks or read some live stdin."""

    async def program(step: Step, sink: Sink, stdin: AsyncIterator[bytes] | None) -> Facts:
        for stream, data in chunks:
            sink(stream, data)
        if reads and stdin is not None:
            await anext(stdin)
        raise CellLost("the container is gone")

    return program


class _Full(Exception):
    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self.stream = stream


class FakeCell:
    """One run of one program, held to the port's rules."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.step: Step | None = None
        self.watcher: Watcher | None = None
        self.killed = False
        """Whether the run was cancelled."""
        self.discarded = False
        self.address = ("", 0)
        """Where its proxy listens."""

    async def run(
        self,
        step: Step,
        sink: Sink,
        stdin: AsyncIterator[bytes] | None = None,
        watcher: Watcher | None = None,
    ) -> Facts:
        assert self.step is None, "a cell is good for one step"
        assert not self.discarded, "a discarded cell was used"
        self.step = step
        self.watcher = watcher
        left = step.limits.output_bytes

        def capped(stream: Stream, data: bytes) -> None:
            nonlocal left
            if data[:left]:
                sink(stream, data[:left])
            left -= len(data)
            if left < 0:
                raise _Full(stream)

        try:
            return await self._program(step, capped, stdin)
        except _Full as full:
            return facts(exit_code=None, signal=9, stopped_by="output", truncated=(full.stream,))
        except asyncio.CancelledError:
            self.killed = True
            raise

    def listener(self) -> socket.socket:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.address = listener.getsockname()
        return listener

    def discard(self, when_gone: Callable[[], None] | None = None) -> None:
        self.discarded = True
        if when_gone is not None:
            when_gone()


class Store:
    """A directory for artifacts that goes with its owner."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="soulbox-test-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def preparing(
    sandbox: "FakeSandbox", executor: Executor, store: Store, reach: Reach | None = None
) -> tuple[Installs, Builds]:
    """Installs and builds of Lua over a store in a directory, and no helper."""
    cache = CompileCache(ArtifactStore(store.path, max_bytes=1 << 30))
    toolchains = {"lua": Toolchain(plugin_version="1", image="lua:1")}
    reaches = {} if reach is None else {"lua": reach}
    limits = LimitSettings().install
    installer = Installer(sandbox, Gateway(Egress()))
    installs = Installs(cache, installer, reaches, toolchains, limits)
    return installs, Builds(cache, executor, {}, toolchains)


class FakeSandbox:
    """Hands out cells that run these programs, one after the other, the last one for ever.

    An exception among the programs is raised by the claim in its place.
    """

    def __init__(self, *programs: Program | Exception, unready: frozenset[str] = frozenset()):
        self._programs = list(programs or (hello,))
        self.unready = unready
        self.kept: list[object] = []
        """What is to live as long as this."""
        self.claims: list[tuple[str, bool]] = []
        self.kinds: list[Kind] = []
        self.cells: list[FakeCell] = []

    async def claim(self, language: str, kind: Kind) -> FakeCell:
        self.claims.append((language, kind.cold))
        self.kinds.append(kind)
        program = self._programs.pop(0) if len(self._programs) > 1 else self._programs[0]
        if isinstance(program, Exception):
            raise program
        cell = FakeCell(program)
        self.cells.append(cell)
        return cell

    def ready(self, language: str) -> bool:
        return language not in self.unready

    @property
    def live_cells(self) -> list[FakeCell]:
        """Cells that were claimed and not given back."""
        return [cell for cell in self.cells if not cell.discarded]


class Spending:
    """A ledger in memory: CPU-seconds by caller and day."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], float] = {}

    async def cpu_seconds(self, caller: str, day: str) -> float:
        return self.seconds.get((caller, day), 0.0)

    def add(self, caller: str, day: str, seconds: float) -> None:
        self.seconds[caller, day] = self.seconds.get((caller, day), 0.0) + seconds
