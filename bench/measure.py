"""Timing calls, and saying how it went."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

WARM_CALLS = 3
"""Calls that are not counted."""
LONE_PAUSE_SECONDS = 0.1
"""Silence before a lone request: long enough to meet the kernel's cgroup-join delay, if any."""


@dataclass(frozen=True)
class Sample:
    """Durations of repeated calls, in seconds."""

    seconds: tuple[float, ...]

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]

    def __str__(self) -> str:
        return f"{self.p50 * 1e3:.2f} ms (p99 {self.p99 * 1e3:.2f}, n {len(self.seconds)})"


def timed(
    call: Callable[[], object], count: int, *, pause: float = 0.0, warm: int = WARM_CALLS
) -> Sample:
    """Time `call` `count` times, after some calls that are not counted."""
    for _ in range(warm):
        call()
    gc.collect()
    seconds = []
    for _ in range(count):
        if pause:
            time.sleep(pause)
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return Sample(tuple(seconds))
