"""A step under way in a cell: its pipes, its timers, its end."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from time import perf_counter
from typing import Literal

from soulbox_core.errors import CellLost, CellStuck
from soulbox_core.model import Facts, Step, Usage
from soulbox_core.sandbox.cgroup import Leaf
from soulbox_core.sandbox.monitor import Monitor, Watch
from soulbox_core.sandbox.output import Budget
from soulbox_core.sandbox.port import Sink, Watcher
from soulbox_core.sandbox.stdio import Stdio, once

Timer = Literal["wall", "cpu", "output"]

KILL_SECONDS = 5.0
"""Longest that a killed cell may take to die; a longer one means a broken container."""
LAST_CALL_SECONDS = 0.25
"""What a program whose time is up gets to flush its buffers, before it is killed."""
_CPU_LOOK_SECONDS = 0.01
"""Shortest time between two looks at the CPU clock."""


class Supervisor:
    """Watches one step. All methods run on the event loop.

    :param stdio: the program's pipes; closed by `close`
    :param last_call: asks the program to flush and end
    :param kill: ends the cell, whatever it does
    :param exit_reader: becomes readable when the program has ended with 0; closed by `close`
    :param scratch: a descriptor of the scratch space; closed by `close`
    """

    def __init__(
        self,
        step: Step,
        sink: Sink,
        leaf: Leaf,
        stdio: Stdio,
        *,
        last_call: Callable[[], None],
        kill: Callable[[], None],
        exit_reader: int,
        scratch: int,
    ) -> None:
        self._limits = step.limits
        self._content = step.stdin
        self._sink = sink
        self._stdio = stdio
        self._leaf = leaf
        self._last_call = last_call
        self._kill = kill
        self._exit_reader = exit_reader
        self._scratch = scratch
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[Facts] = self._loop.create_future()
        self._budget = Budget(step.limits.output_bytes, lambda: self._stop("output"))
        self._stopped_by: Timer | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._watch: Watch | None = None
        self._started_at = perf_counter()

    def watch(self, monitor: Monitor, watcher: Watcher) -> None:
        """Have a watcher told what the step uses, for as long as it goes on."""
        self._watch = monitor.watch(self._leaf, self._started_at, watcher)

    async def outcome(self, stdin: AsyncIterator[bytes] | None) -> Facts:
        """Begin to watch, now that the step was handed over, and wait for its end.

        :raises CellLost: the cell died without the program's or a limit's doing
        """
        self._stdio.hand_over()
        self._stdio.stdout.start(self._budget, self._sink)
        self._stdio.stderr.start(self._budget, self._sink)
        self._loop.add_reader(self._exit_reader, self._succeeded)
        self._call_later(self._limits.wall_seconds, self._stop, "wall")
        self._call_later(self._limits.cpu_seconds / self._limits.cpus, self._watch_cpu)
        if not self._stdio.fed:
            return await self._done
        source = once(self._content) if stdin is None else stdin
        feeding = asyncio.create_task(self._feed(source))
        try:
            return await self._done
        finally:
            feeding.cancel()

    def exited(self, exit_code: int | None, signal_number: int | None) -> None:
        """The program ended by itself, or a signal ended it."""
        if not self._done.done():
            self._finish(exit_code, signal_number)

    def died(self, why: str) -> None:
        """The cell is gone before its program was reported: we killed it, or the kernel did."""
        if self._done.done():
            return
        self._stop_watching()
        if self._stopped_by is None and self._leaf.counters().oom_kills == 0:
            self._done.set_exception(CellLost(why))
        else:
            self._finish(None, int(signal.SIGKILL))

    def close(self) -> None:
        """Let go of pipes and timers."""
        for timer in self._timers:
            timer.cancel()
        self._stop_watching()
        self._let_go_of_scratch()
        self._stop_feeding()
        self._stdio.close()

    def _finish(self, exit_code: int | None, signal_number: int | None) -> None:
        wall_seconds = perf_counter() - self._started_at
        self._stop_watching()
        self._stdio.stdout.drain()
        self._stdio.stderr.drain()
        counters = self._leaf.counters()
        if self._stopped_by is not None:
            # Whether it obeyed the last call or had to be killed is the luck of a moment.
            exit_code, signal_number = None, int(signal.SIGKILL)
        self._done.set_result(
            Facts(
                exit_code=exit_code,
                signal=signal_number,
                stopped_by=self._stopped_by,
                oom_kills=counters.oom_kills,
                refused_forks=counters.refused_forks,
                scratch_full=exit_code != 0 and self._scratch_is_full(),
                usage=Usage(
                    wall_seconds=wall_seconds,
                    cpu_seconds=counters.cpu_seconds,
                    memory_peak_bytes=counters.memory_peak_bytes,
                ),
                truncated=tuple(self._budget.truncated),
            )
        )

    def _stop_watching(self) -> None:
        """Before the leaf can be given back: its next cell is nothing to who watched this one."""
        if self._watch is not None:
            self._watch.stop()

    def _scratch_is_full(self) -> bool:
        """Whether the scratch space has no page or no inode left."""
        if self._scratch < 0:
            return False
        space = os.fstatvfs(self._scratch)
        return space.f_bavail == 0 or space.f_favail == 0

    def _succeeded(self) -> None:
        """The launcher's early word, see launcher.jail.report_success."""
        self._loop.remove_reader(self._exit_reader)  # at its end it would be readable for ever
        if os.read(self._exit_reader, 1):
            self.exited(0, None)

    def _stop(self, by: Timer) -> None:
        if self._stopped_by is None and not self._done.done():
            self._stopped_by = by
            self._let_go_of_scratch()
            if by == "output":
                self._kill()
            else:
                self._last_call()
                self._call_later(LAST_CALL_SECONDS, self._kill)
            self._call_later(KILL_SECONDS, self._give_up)

    def _let_go_of_scratch(self) -> None:
        """Close what keeps the scratch space: whoever does so last has to free its pages."""
        if self._scratch >= 0:
            self._loop.remove_reader(self._exit_reader)
            os.close(self._exit_reader)
            os.close(self._scratch)
            self._exit_reader = self._scratch = -1

    def _give_up(self) -> None:
        if not self._done.done():
            self._done.set_exception(CellStuck("the cell does not die"))

    def _watch_cpu(self) -> None:
        """Look when the limit could have been reached at the earliest, not on a fixed beat."""
        left = self._limits.cpu_seconds - self._leaf.cpu_seconds()
        if left <= 0:
            self._stop("cpu")
        else:
            self._call_later(max(left / self._limits.cpus, _CPU_LOOK_SECONDS), self._watch_cpu)

    def _call_later(self, seconds: float, call: Callable[..., None], *args: object) -> None:
        self._timers.append(self._loop.call_later(seconds, call, *args))

    async def _feed(self, chunks: AsyncIterator[bytes]) -> None:
        """Write live input as fast as the program takes it; its end closes the program's stdin."""
        try:
            async for chunk in chunks:
                await self._write(memoryview(chunk))
        except BrokenPipeError:
            return  # the program closed its stdin; what it does not want is dropped
        finally:
            self._stop_feeding()

    async def _write(self, data: memoryview) -> None:
        while data:
            try:
                data = data[os.write(self._stdio.feed_end, data) :]
            except BlockingIOError:
                writable = self._loop.create_future()
                self._loop.add_writer(self._stdio.feed_end, _settle, writable)
                try:
                    await writable
                finally:
                    if self._stdio.fed:
                        self._loop.remove_writer(self._stdio.feed_end)

    def _stop_feeding(self) -> None:
        if self._stdio.fed:
            self._loop.remove_writer(self._stdio.feed_end)
            self._stdio.close_feed()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
