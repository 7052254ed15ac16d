"""The cell's first process: PID 1 of its namespaces.

It holds the capabilities to kill what is left over and to become the cell's user for bringing
files back, and no others; the program can neither see nor signal it.
"""

from __future__ import annotations

import os
import signal
import socket
from typing import Any, TextIO

from . import harvest, jail, kernel, program, wire

_NAMESPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
    | kernel.CLONE_NEWNET
)
_HOSTNAME = b"soulbox"
_EX_SOFTWARE = 70  # sysexits.h


def main(
    sock: socket.socket,
    leaf: list[int],
    spec: dict[str, Any],
    seccomp: bytes,
    runner: program.Runner,
) -> None:
    """Build the cell around this process, run its program, see it out.

    :param sock: the cell's socket to the core
    :param leaf: descriptors of the cgroup.procs files to join, one per hierarchy
    """
    try:
        # Opened while /proc still is the container's: the cell's is read-only.
        with open("/proc/self/oom_score_adj", "w") as oom_score:
            exit_reader = _enter_namespaces(leaf, spec)
            child = _fork_preferred_victim(oom_score)
    except OSError as error:
        wire.send(sock, {"op": "broken", "error": f"cannot build the cell: {error}"})
        return
    if child == 0:
        _be_program(sock, exit_reader, spec, seccomp, runner)
    os.close(exit_reader)
    kernel.keep_capabilities(kernel.CAP_KILL, kernel.CAP_SETUID, kernel.CAP_SETGID)
    # The core's words to us while we wait: the time is up; the run is over, files are next.
    signal.signal(signal.SIGUSR1, lambda *_: _tell(child, program.LAST_CALL))
    signal.signal(signal.SIGUSR2, lambda *_: _tell(child, signal.SIGKILL))
    status = _wait_for(child)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    wire.send(sock, _report(status))
    harvest.serve(sock, spec["uid"], seccomp)


def _enter_namespaces(leaf: list[int], spec: dict[str, Any]) -> int:
    """Join the leaf first: the cgroup namespace takes its root from where we are."""
    for procs in leaf:
        os.write(procs, b"0")
    for procs in leaf:
        os.close(procs)
    kernel.unshare(_NAMESPACES)
    kernel.loopback_up()
    kernel.sethostname(_HOSTNAME)
    exit_reader = jail.enter(spec["uid"], spec["scratch_bytes"])
    kernel.drop_bounding_set()
    return exit_reader


def _fork_preferred_victim(oom_score: TextIO) -> int:
    """Fork a child that the kernel kills sooner than us, who have to report its end.

    The child inherits the score; lowering ours again to what it was needs no right.
    """
    oom_score.write("1000")
    oom_score.flush()
    child = os.fork()
    if child:
        oom_score.write("0")
        oom_score.flush()
    return child


def _be_program(
    sock: socket.socket,
    exit_reader: int,
    spec: dict[str, Any],
    seccomp: bytes,
    runner: program.Runner,
) -> None:
    code = _EX_SOFTWARE
    try:
        program.become_harmless(spec, seccomp)
        step, stdio = program.park(sock, exit_reader, runner)
        code = program.run(step, stdio, runner)
        if code == 0:
            jail.report_success()
    except wire.Closed:
        pass
    except BaseException as error:
        # The outermost frame of a forked process: nothing may unwind into the forge's loop.
        _complain(sock, error)
    finally:
        os._exit(code)


def _complain(sock: socket.socket, error: BaseException) -> None:
    """Tell the core, or once its socket is closed and the step began, the step's stderr."""
    message = f"the cell failed: {type(error).__name__}: {error}"
    try:
        wire.send(sock, {"op": "broken", "error": message})
    except (OSError, wire.Closed):
        os.write(2, f"soulbox: {message}\n".encode())


def _tell(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except ProcessLookupError:
        return


def _wait_for(child: int) -> int:
    """Reap whatever dies in the cell until the program does; return its wait status."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


def _report(status: int) -> dict[str, Any]:
    signaled = os.WIFSIGNALED(status)
    return {
        "op": "exited",
        "exit_code": None if signaled else os.WEXITSTATUS(status),
        "signal": os.WTERMSIG(status) if signaled else None,
        "scratch_full": jail.scratch_is_full(),
    }
