"""What runs use while they go on, for those who asked to be told.

One thread reads for all of them, since a read may wait in the kernel: cgroup v2 adds up the counts
of all CPUs under a lock. The event loop never does.
"""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from soulbox_core.errors import CgroupError
from soulbox_core.model import Sample
from soulbox_core.sandbox.cgroup import Gauge, Leaf
from soulbox_core.sandbox.port import Watcher

PERIOD_SECONDS = 0.1
"""From one look at a run to the next."""
MOST_RUNS = 256
"""Most that are looked at so often. Of more, each is looked at less often, so that there are
never more looks in a second."""


class Monitor:
    """Looks at every run that is watched. All methods run on the event loop."""

    def __init__(self) -> None:
        # It starts its thread when there is something to read, and ends it when nobody holds it.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="monitor")
        self._watched = 0

    @property
    def period_seconds(self) -> float:
        """How long a run waits for the next look."""
        return PERIOD_SECONDS * max(1, math.ceil(self._watched / MOST_RUNS))

    def watch(self, leaf: Leaf, began_at: float, watcher: Watcher) -> "Watch":
        """Tell of a run from now on, until the watch is stopped.

        :param leaf: of its cell; read for as long as the watch lasts, and not a moment longer
        :param began_at: when the code was handed over, by `perf_counter`
        """
        self._watched += 1
        return Watch(self, leaf, began_at, watcher)

    def read(self, gauge: Gauge, began_at: float) -> "asyncio.Future[Sample | None]":
        """Have a gauge read; None comes of one whose leaf is gone."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._reader, _sample, gauge, began_at)

    def forget(self) -> None:
        """A watch has ended."""
        self._watched -= 1


class Watch:
    """One run, looked at again and again; made by `Monitor.watch`.

    The next look is only planned when the last one is over: late reads make fewer samples, and
    no queue.
    """

    def __init__(self, monitor: Monitor, leaf: Leaf, began_at: float, watcher: Watcher) -> None:
        self._monitor = monitor
        self._leaf = leaf
        self._began_at = began_at
        self._watcher = watcher
        self._gauge: Gauge | None = None
        self._reading = False
        self._stopped = False
        self._due_at = began_at
        self._timer = self._plan()

    def stop(self) -> None:
        """Tell nothing more, of a read under way neither. Safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        self._timer.cancel()
        self._monitor.forget()
        if not self._reading:
            self._close()

    def _plan(self) -> asyncio.TimerHandle:
        """Look when it is due; what was missed until now is skipped."""
        period = self._monitor.period_seconds
        now = perf_counter()
        missed = max(0, math.floor((now - self._due_at) / period))
        self._due_at += (missed + 1) * period
        return asyncio.get_running_loop().call_later(self._due_at - now, self._look)

    def _look(self) -> None:
        try:
            # Opened when the first look is due, since most runs are over by then.
            self._gauge = self._gauge or self._leaf.gauge()
        except CgroupError:
            return  # its container is going down, which others tell
        self._reading = True
        self._monitor.read(self._gauge, self._began_at).add_done_callback(self._looked)

    def _looked(self, reading: "asyncio.Future[Sample | None]") -> None:
        self._reading = False
        if self._stopped:
            # By now the leaf may be another cell's.
            self._close()
            return
        sample = reading.result()
        if sample is not None:
            self._watcher(sample)
            self._timer = self._plan()

    def _close(self) -> None:
        if self._gauge is not None:
            self._gauge.close()


def _sample(gauge: Gauge, began_at: float) -> Sample | None:
    try:
        return gauge.sample(began_at)
    except CgroupError:
        return None
