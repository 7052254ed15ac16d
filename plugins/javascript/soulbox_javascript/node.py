"""Command lines of Node.js, fitted to a run's limits."""

import math
from collections.abc import Callable

from soulbox_core import Limits, Source
from soulbox_javascript.image import IN_IMAGE

LIMITS = ("memory_bytes",)
"""Those that the command lines depend on, and Node cannot change later."""
TYPES = ("--experimental-transform-types", "--disable-warning=ExperimentalWarning")
"""Enums, namespaces and parameter properties work, without Node saying that this is new."""
_MIB = 1 << 20
_MOST_WORKERS = 4


def run(*options: str) -> Callable[[Source], tuple[str, ...]]:
    """The command line of a program that starts cold."""

    def command(source: Source) -> tuple[str, ...]:
        cold = ("--require", f"{IN_IMAGE}/cold.cjs")
        return ("node", *_fitted(source.limits), *options, *cold, "{entrypoint}")

    return command


def boot(*options: str) -> Callable[[Source], tuple[str, ...]]:
    """The command line of a parked cell's boot program."""

    def command(source: Source) -> tuple[str, ...]:
        snapshot = ("--snapshot-blob", f"{IN_IMAGE}/snapshot.blob")
        return ("node", *_fitted(source.limits), *options, *snapshot, f"{IN_IMAGE}/boot.cjs")

    return command


def _fitted(limits: Limits) -> tuple[str, ...]:
    """V8's own limits. It sees the host's memory, and would not collect before the cell is full.

    The heap's limit is the cell's: Node itself takes some of that, so the kernel ends a program
    that keeps too much before V8 does, by SIGABRT. (Not always: V8 refuses a table that would
    outgrow its limit at once.) And V8 collects for the sake of buffers when they are half of it.
    The rest is for programs that only drop much: the first collection is at a quarter of the
    memory, the next whenever the heap has grown by 30 %, and the young generation is small.

    Measured at 256 MiB: with V8's own choice, or this limit alone, 60 MB of objects in use beside
    garbage was too much; with all of it 100 MB are not, in a parked cell, and 130 MB in a cold one.
    """
    mib = limits.memory_bytes // _MIB
    return (
        f"--max-old-space-size={mib}",
        f"--initial-old-space-size={max(mib // 4, 1)}",
        "--heap-growing-percent=30",
        f"--max-semi-space-size={min(max(mib // 32, 1), 16)}",
        f"--v8-pool-size={min(math.ceil(limits.cpus), _MOST_WORKERS)}",
    )
