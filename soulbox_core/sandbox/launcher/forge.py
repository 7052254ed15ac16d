"""A process that forks cells: the launcher itself, or a template with preloads in memory."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable
from typing import Any

from . import init, kernel, program, wire

Handler = Callable[[dict[str, Any], "list[int]"], None]


class Forge:
    """Reads requests from the core and forks, until the core hangs up.

    :param control: the socket to the core
    :param runner: what a cell made here does with its step
    :param seccomp: the filter that every program gets, as struct sock_filter[]
    """

    def __init__(self, control: socket.socket, runner: program.Runner, seccomp: bytes) -> None:
        self._control = control
        self._runner = runner
        self._seccomp = seccomp
        self._cells: dict[int, str] = {}
        self._pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._handlers: dict[str, Handler] = {"cell": self._make_cell, "ping": self._pong}

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
                    self._reap(os.WNOHANG)
                if self._control.fileno() in ready:
                    request, descriptors = wire.receive(self._control)
                    self._handlers[request["op"]](request, descriptors)
        except wire.Closed:
            pass

    def fork(self, child_main: Callable[[], None]) -> int:
        """Fork; the child runs `child_main` with default signal handling and exits."""
        pid = os.fork()
        if pid:
            return pid
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            child_main()
        finally:
            os._exit(0)

    def _make_cell(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Fork init into a new PID namespace.

        unshare(CLONE_NEWPID) only affects later children, and may be repeated once setns has
        pointed them back to our own namespace (pid_namespaces(7)); so no process stands between
        us and init, and we can reap it.
        """
        sock, *leaf = descriptors

        def be_init() -> None:
            kernel.close_all_but(*descriptors)
            with socket.socket(fileno=sock) as cell_socket:
                init.main(cell_socket, leaf, request, self._seccomp, self._runner)

        kernel.unshare(kernel.CLONE_NEWPID)
        try:
            pid = self.fork(be_init)
        finally:
            kernel.setns(self._pid_namespace, kernel.CLONE_NEWPID)
        for descriptor in descriptors:
            os.close(descriptor)
        self._cells[pid] = request["id"]
        pidfd = os.pidfd_open(pid)
        wire.send(self._control, {"op": "made", "id": request["id"]}, (pidfd,))
        os.close(pidfd)

    def _pong(self, request: dict[str, Any], descriptors: list[int]) -> None:
        wire.send(self._control, {"op": "pong"})

    def _reap(self, options: int) -> None:
        try:
            while True:
                pid, _ = os.waitpid(-1, options)
                if pid == 0:
                    return
                cell = self._cells.pop(pid, None)
                if cell is not None:
                    wire.send(self._control, {"op": "gone", "id": cell})
        except ChildProcessError:
            return
