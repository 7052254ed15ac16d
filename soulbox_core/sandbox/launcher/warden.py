"""Makes the first process of each cell: a kernel task that only holds its namespaces.

A PID namespace needs a PID 1 that reaps orphans, and the cell's other namespaces need somebody
to keep them while files are brought back. Neither takes code: with SIGCHLD ignored the kernel
reaps (sigaction(2), SIG_IGN), and a task asleep in pause(2) holds namespaces as well as any. So
an init shares this process's memory (CLONE_VM) instead of copying it, never runs a line of
Python, and costs the kernel's namespaces and a stack that it touches once.

This process is apart from the launcher because SIGCHLD is ignored for good here, and the
launcher has children whose end it must learn.
"""

from __future__ import annotations

import mmap
import os
import signal
import socket

from . import kernel, wire

_NAMESPACES = (
    kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWNET
)
_STACK_BYTES = 8192
_STACKS = 64
"""An init needs its stack only until it sleeps, which it does long before its turn comes again."""


def serve(control: socket.socket) -> None:
    """Answer each "init" with the pidfd of a new one, until the core hangs up."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # inherited by every init
    stacks = kernel.Stacks(mmap.mmap(-1, _STACKS * _STACK_BYTES), _STACK_BYTES)
    try:
        while True:
            wire.receive(control)
            pidfd = os.pidfd_open(kernel.clone_sleeper(_NAMESPACES, stacks.next()))
            wire.send(control, {"op": "init"}, (pidfd,))
            os.close(pidfd)
    except wire.Closed:
        return
