"""A process that forks cells: the launcher itself, or a template with preloads in memory."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable
from typing import Any

from . import cell, harvest, jail, kernel, program, wire

_END_MILLISECONDS = 1000.0
"""How long a process that was killed may take to be gone."""

Handler = Callable[[dict[str, Any], "list[int]"], None]


class Forge:
    """Reads requests from the core and forks, until the core hangs up.

    :param control: the socket to the core
    :param runner: what a cell made here does with its step
    :param seccomp: the filter that every program gets, as struct sock_filter[]
    :param tree: what all cells of the container have in common
    """

    def __init__(
        self, control: socket.socket, runner: program.Runner, seccomp: bytes, tree: jail.Jail
    ) -> None:
        self._control = control
        self._runner = runner
        self._seccomp = seccomp
        self._tree = tree
        self._programs: dict[int, str] = {}
        self._pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._handlers: dict[str, Handler] = {
            "cell": self._make_cell,
            "signal": self._signal,
            "harvest": self._harvest,
            "ping": self._pong,
        }

    def handle(self, op: str, handler: Handler) -> None:
        """Add a request this forge understands."""
        self._handlers[op] = handler

    def serve(self) -> None:
        """Work until the core hangs up."""
        woken, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(woken, select.POLLIN)
        try:
            while True:
                ready = {descriptor for descriptor, _ in poll.poll()}
                if woken in ready:
                    os.read(woken, 4096)
                    self._reap()
                if self._control.fileno() in ready:
                    request, descriptors = wire.receive(self._control)
                    self._handlers[request["op"]](request, descriptors)
        except wire.Closed:
            pass

    def fork(self, child_main: Callable[[], int]) -> int:
        """Fork; the child runs `child_main` with default signal handling, and exits with it."""
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = child_main()
        finally:
            os._exit(code)

    def _make_cell(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Fork the cell's program into the PID namespace of its init.

        setns(CLONE_NEWPID) only says where later children go (pid_namespaces(7)); so the program
        is our own child, and we can tell how it ended.
        """
        sock, init, *rest = descriptors
        # A runtime that is started now needs its standard descriptors now.
        stdio, leaf = (rest[:3], rest[3:]) if request["boot"] else ([], rest)

        def be_cell() -> int:
            kernel.close_all_but(*descriptors)
            cell_socket = socket.socket(fileno=sock)
            return cell.main(
                cell_socket, init, leaf, stdio, request, self._seccomp, self._runner, self._tree
            )

        try:
            self._programs[self._fork_into(init, be_cell)] = request["id"]
        except OSError:
            # The core may have given the cell up and killed its init by now: setns(2) then fails
            # with ESRCH, or fork(2) with ENOMEM. That is no other cell's business.
            if not _ends(init):
                raise
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork_into(self, init: int, child_main: Callable[[], int]) -> int:
        kernel.setns(init, kernel.CLONE_NEWPID)
        try:
            return self.fork(child_main)
        finally:
            kernel.setns(self._pid_namespace, kernel.CLONE_NEWPID)

    def _signal(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Signal a cell's program, which has a uid that the core may not signal."""
        for pid, name in self._programs.items():
            if name == request["id"]:
                os.kill(pid, request["number"])

    def _harvest(self, request: dict[str, Any], descriptors: list[int]) -> None:
        init, output = descriptors

        def be_reader() -> int:
            kernel.close_all_but(*descriptors)
            harvest.main(request, init, output, request["uid"], self._seccomp)
            return 0

        self.fork(be_reader)
        for descriptor in descriptors:
            os.close(descriptor)

    def _pong(self, request: dict[str, Any], descriptors: list[int]) -> None:
        wire.send(self._control, {"op": "pong"})

    def _reap(self) -> None:
        """Tell the core of each program that ended; who else ends is nobody's business."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                name = self._programs.pop(pid, None)
                if name is not None:
                    wire.send(self._control, _ending(name, status))
        except ChildProcessError:
            return


def _ends(pidfd: int) -> bool:
    """Whether a process has ended, or does so now."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(_END_MILLISECONDS))


def _ending(name: str, status: int) -> dict[str, Any]:
    signaled = os.WIFSIGNALED(status)
    return {
        "op": "exited",
        "id": name,
        "exit_code": None if signaled else os.WEXITSTATUS(status),
        "signal": os.WTERMSIG(status) if signaled else None,
    }
