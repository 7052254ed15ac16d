"""A compile helper to test with: a real process, in a cell that is none."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO

from soulbox_core.model import Facts, Step
from soulbox_core.sandbox.port import Kind, Sink, Watcher
from tests.fakes import facts

SCRIPT = Path(__file__).with_name("helper_script.py")
OUT_OF_MEMORY = 137
"""The script's exit code that stands for a kill by the kernel."""


class ProcessCell:
    """Runs one step as a process of this host, held to the port's rules."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.step: Step | None = None
        self.discarded = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def run(
        self,
        step: Step,
        sink: Sink,
        stdin: AsyncIterator[bytes] | None = None,
        watcher: Watcher | None = None,
    ) -> Facts:
        assert self.step is None, "a cell is good for one step"
        assert not self.discarded, "a discarded cell was used"
        assert stdin is not None
        self.step = step
        pipe = subprocess.PIPE
        env = {**step.env, "NUMBER": str(self.number)}
        with subprocess.Popen(  # noqa: ASYNC220, it takes milliseconds and cannot be cancelled
            step.argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env, bufsize=0
        ) as process:
            self._process = process
            feeding = asyncio.create_task(_feed(process, stdin))
            try:
                await asyncio.gather(
                    _read(process.stdout, lambda data: sink("stdout", data)),
                    _read(process.stderr, lambda data: sink("stderr", data)),
                )
            except asyncio.CancelledError:
                process.kill()
                raise
            finally:
                feeding.cancel()
                await asyncio.wait((feeding,))
        code = process.wait()
        if code == OUT_OF_MEMORY:
            return facts(exit_code=None, signal=9, oom_kills=1)
        return facts(exit_code=code if code >= 0 else None, signal=-code if code < 0 else None)

    def listener(self) -> socket.socket:
        raise AssertionError("a helper reaches nothing")

    def discard(self, when_gone: Callable[[], None] | None = None) -> None:
        self.discarded = True
        if when_gone is not None:
            when_gone()


async def _read(pipe: IO[bytes] | None, take: Callable[[bytes], None]) -> None:
    """Pass on what comes, from the event loop as the real cell does, to the end."""
    assert pipe is not None
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def read() -> None:
        data = pipe.read(65536)
        if data:
            take(data)
        elif not ended.done():
            ended.set_result(None)

    loop.add_reader(pipe.fileno(), read)
    try:
        await ended
    finally:
        loop.remove_reader(pipe.fileno())


async def _feed(process: "subprocess.Popen[bytes]", stdin: AsyncIterator[bytes]) -> None:
    assert process.stdin is not None
    async for chunk in stdin:
        try:
            process.stdin.write(chunk)  # requests here are smaller than a pipe
        except BrokenPipeError:
            return


class ProcessSandbox:
    """Hands out such cells; `faults` are raised by the first claims in their place."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.claims: list[tuple[str, int, bool]] = []
        self.cells: list[ProcessCell] = []

    async def claim(self, language: str, kind: Kind) -> ProcessCell:
        assert not kind.egress, "a helper reaches nothing"
        self.claims.append((language, kind.scratch_bytes, kind.cold))
        if self._faults:
            raise self._faults.pop(0)
        cell = ProcessCell(len(self.cells) + 1)
        self.cells.append(cell)
        return cell

    def ready(self, language: str) -> bool:
        return True

    @property
    def alive(self) -> list[int]:
        """The numbers of the cells whose process lives."""
        return [cell.number for cell in self.cells if cell.alive]


def command(start: str = "well", gate: Path | None = None) -> tuple[str, ...]:
    """The command line of a helper that starts so, once the file `gate` is there."""
    return (sys.executable, "-I", "-S", str(SCRIPT), start, os.fspath(gate or ""))
