"""The cell's program: harmless, parked, then run."""

from __future__ import annotations

import base64
import os
import resource
import signal
import socket
from typing import Any, Protocol

from . import kernel, wire

_NULL = "/dev/null"
LAST_CALL = signal.SIGRTMAX
"""Sent to a program whose time is up. A template may handle it to flush and exit at once; who
does not handle it dies of it, and the core kills what is left a moment later."""
_RESTORED_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)
_OURSELVES = 0  # prlimit(2)


class Runner(Protocol):
    """What turns a step into a running program. A language's template module is one too."""

    def refresh(self) -> None:
        """Make the cell's own what forking made it share, such as random state."""

    def rehearse(self) -> None:
        """Touch whatever `run` will touch, so that its pages are already the cell's own."""

    def run(self, step: dict[str, Any]) -> int:
        """Run the program in this process and return its exit code, or do not return.

        Standard descriptors, working directory, limits and files are in place.
        """


class Executor:
    """The runner for any program: replace this process by its command."""

    def refresh(self) -> None:
        """Nothing of this process survives the exec."""

    def rehearse(self) -> None:
        """Nor would a rehearsal."""

    def run(self, step: dict[str, Any]) -> int:
        for number in _RESTORED_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        argv = step["argv"]
        try:
            os.execvpe(argv[0], argv, step["env"])  # noqa: S606, running programs is the point
        except OSError as error:
            os.write(2, f"soulbox: cannot start {argv[0]}: {error.strerror}\n".encode())
        return 127


def become_harmless(uid: int, rlimits: dict[str, int], seccomp: bytes) -> None:
    """Take on the limits and the user of the cell, and give up every right.

    Order matters: each step needs a right that a later one takes away.
    """
    _limit(rlimits)
    os.umask(0o022)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    kernel.drop_capabilities()
    kernel.set_dumpable()
    kernel.set_no_new_privs()
    kernel.install_filter(seccomp)


def park(
    sock: socket.socket, for_the_core: tuple[int, ...], runner: Runner, *, rehearse: bool
) -> tuple[dict[str, Any], list[int]]:
    """Get ready, say so, and wait for the step and its standard descriptors.

    :param for_the_core: descriptors that go with the word
    :raises wire.Closed: the core went away or changed its mind
    """
    _point_stdio_at([os.open(_NULL, os.O_RDWR)] * 3)
    runner.refresh()
    if rehearse:
        runner.rehearse()
    wire.send(sock, {"op": "parked"}, for_the_core)
    step, stdio = wire.receive(sock)
    os.close(sock.detach())
    return step, stdio


def run(step: dict[str, Any], stdio: list[int], runner: Runner) -> int:
    """Run the step; return the program's exit code if it came to its end in this process."""
    _point_stdio_at(stdio)
    kernel.close_all_but()
    prepare(step, _OURSELVES)
    return runner.run(step)


def prepare(step: dict[str, Any], process: int) -> None:
    """Write the step's files, and lower the limits of the process that will run it."""
    for path, content, encoded in step["files"]:
        _write_file(path, base64.b64decode(content) if encoded else content.encode())
    if step["out"]:
        os.makedirs(step["out"])
    _limit(step["rlimits"], process)


def _point_stdio_at(descriptors: list[int]) -> None:
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)


def _limit(rlimits: dict[str, int], process: int = _OURSELVES) -> None:
    for name, value in rlimits.items():
        resource.prlimit(process, getattr(resource, name), (value, value))


def _write_file(path: str, content: bytes) -> None:
    parent = os.path.dirname(path)
    if parent:
        os.makedirs(parent, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
    os.close(file)
