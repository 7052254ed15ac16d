"""The one place that decides how a run ended.

The principle: what ended the program decides, and a limit that was merely touched on the way
does not. A program that exits with 0 is ok, however many forks it was refused.
"""

import signal

from soulbox_core.errors import SandboxError
from soulbox_core.model import Facts, Status

_STOPPED = {
    "output": Status.OUTPUT_EXCEEDED,
    "cpu": Status.CPU_TIME_EXCEEDED,
    "wall": Status.WALL_TIME_EXCEEDED,
}

_LIMIT_SIGNALS = {
    # RLIMIT_CPU stands behind the core's own CPU timer; RLIMIT_FSIZE is the limit itself.
    # Both from setrlimit(2).
    int(signal.SIGXCPU): Status.CPU_TIME_EXCEEDED,
    int(signal.SIGXFSZ): Status.FILE_SIZE_EXCEEDED,
}


def judge(facts: Facts) -> Status:
    """Return the status that the facts amount to. The order of the questions is the precedence.

    :raises SandboxError: the facts tell of no way in which a program can end
    """
    # Memory first. On cgroup v2 an OOM kill takes the whole cell (memory.oom.group), so nothing
    # that comes after it is the program's doing. On v1 it takes one process; the others may
    # linger into a time limit, fail, or exit with 0. Those are consequences, and a program must
    # not get another status for its host's cgroup version.
    if facts.oom_kills:
        return Status.MEMORY_EXCEEDED
    # Then the limit for which the core stopped the cell. A signal beside it is that kill. An exit
    # code beside it is a program that ended while the kill was on its way: it had passed the
    # limit all the same, and of its output some may be lost.
    if facts.stopped_by is not None:
        return _STOPPED[facts.stopped_by]
    # A signal that the kernel sends for a limit outranks a refused fork: the one is what ended
    # the program, the other only may have.
    if facts.signal is not None:
        return _LIMIT_SIGNALS.get(facts.signal) or _lack(facts) or Status.SIGNALED
    if facts.exit_code is None:
        raise SandboxError("the cell reported no exit code, no signal and no limit")
    if facts.exit_code != 0:
        return _lack(facts) or Status.FAILED
    return Status.OK


def made(facts: Facts, maker: str, too_much: str) -> tuple[bool, str]:
    """Whether a step that was to make something did, and what its caller has to be told besides.

    :param maker: what it was, such as 'the compiler'
    :param too_much: a line for when what it made is more than is kept
    """
    status = judge(facts)
    if status not in (Status.OK, Status.FAILED):
        return False, stopped(maker, status)
    if status is Status.OK and facts.outputs_skipped:
        return False, f"{too_much}\n"
    return status is Status.OK, ""


def stopped(maker: str, status: Status) -> str:
    """How a step's caller is told that a limit ended it."""
    return f"{maker} was stopped: {status}\n"


def _lack(facts: Facts) -> Status | None:
    """What the program lacked, if that explains why it came to a bad end by itself.

    By exit code or by signal alike: Go and Rust abort when they get no thread, and a store to a
    mapped file on a full tmpfs is a SIGBUS. Forks are asked first, because the kernel counted a
    refusal, while a full scratch space is only the state at the end.
    """
    if facts.refused_forks:
        return Status.PROCESS_LIMIT
    if facts.scratch_full:
        return Status.SCRATCH_EXCEEDED
    return None
