"""A runtime that cannot be forked, started ahead of its step.

The cell's program becomes the runtime. A second process, the *usher*, waits beside it: it alone
can take the core's message, put the files in place and lower another process's limits. It shows
the step in and is gone before any of the user's code runs.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import resource
import socket
import time
from typing import Any

from . import kernel, program, wire

STEP = 3
"""The descriptor from which the runtime reads its step, as JSON, to the end."""
READY = 4
"""The descriptor to which it writes, or which it closes after that, when it is ready."""
_FOR_THE_RUNTIME = ("argv", "entrypoint", "args", "env", "live", "artifact", "dependencies")
_ABOVE = 16
_CPU_CLOCK = 2  # CPUCLOCK_SCHED, <linux/posix-timers.h>


def main(
    sock: socket.socket, for_the_core: tuple[int, ...], stdio: list[int], boot: dict[str, Any]
) -> int:
    """Start the runtime in this process, and the usher beside it; return if it does not start.

    The usher is forked twice, so that the runtime is not its parent and never hears of its end.
    """
    step_reader, step_writer = os.pipe()
    ready_reader, ready_writer = os.pipe()
    runtime = os.getpid()
    between = os.fork()
    if not between:
        if not os.fork():
            for descriptor in (step_reader, ready_writer, *stdio):
                os.close(descriptor)
            _usher(sock, for_the_core, runtime, step_writer, ready_reader)
        os._exit(0)
    os.waitpid(between, 0)
    _place([*stdio, step_reader, ready_writer])
    return program.Executor().run(boot)


def _place(descriptors: list[int]) -> None:
    """Make these descriptors 0, 1, 2, ... and close every other."""
    above = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, _ABOVE) for descriptor in descriptors]
    for target, descriptor in enumerate(above):
        os.dup2(descriptor, target)
    kernel.close_all_but(*range(3, len(above)))


def _usher(
    sock: socket.socket,
    for_the_core: tuple[int, ...],
    runtime: int,
    step_writer: int,
    ready_reader: int,
) -> None:
    """Tell the core when the runtime is ready, and hand it its step."""
    if not os.read(ready_reader, 1):
        wire.send(sock, {"op": "broken", "error": "the runtime ended before it was ready"})
        return
    _rehearse(runtime)
    wire.send(sock, {"op": "parked"}, for_the_core)
    for descriptor in for_the_core:
        os.close(descriptor)
    step, _ = wire.receive(sock)
    # The kernel counts what the runtime has used until now as well.
    step["rlimits"]["RLIMIT_CPU"] += math.ceil(_cpu_seconds(runtime))
    program.prepare(step, runtime)
    rest = _rest(step)
    # No user code runs yet, and none may ever find a socket to the core.
    sock.close()
    while rest:
        rest = rest[os.write(step_writer, rest) :]
    # It ends where this process does, whose memory the kernel lets go of first: whoever reads to
    # the end finds nobody here to tamper with.
    os._exit(0)


def _rehearse(runtime: int) -> None:
    """Go through what is to come, so that the memory it writes to is this process's own by then.

    Each first write to a page that was shared by forking has the kernel copy it.
    """
    unchanged = {"RLIMIT_NOFILE": resource.getrlimit(resource.RLIMIT_NOFILE)[1]}
    step: dict[str, Any] = dict.fromkeys(_FOR_THE_RUNTIME, ["x" * 16] * 16)
    step |= {"files": [[os.devnull, "x" * 256, False]], "out": None, "rlimits": unchanged}
    step = json.loads(json.dumps(step))
    _cpu_seconds(runtime)
    program.prepare(step, os.getpid())
    _rest(step).release()


def _rest(step: dict[str, Any]) -> memoryview:
    """What the runtime is told, as JSON."""
    return memoryview(json.dumps({name: step[name] for name in _FOR_THE_RUNTIME}).encode())


def _cpu_seconds(process: int) -> float:
    """CPU time of another process: its clock's id is made of its pid, clock_getcpuclockid(3)."""
    return time.clock_gettime((~process << 3) | _CPU_CLOCK)
