"""A machine, of whatever kind: what it is given, and how its job is followed to the end."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from base import Base
from tools import Unable

Process = subprocess.Popen[bytes]
_EXIT_MARK = "@@soulbox-vm exit "
"""Begins the job's last line; guest/main writes it."""
_TAIL_LINES = 30


@dataclass(frozen=True)
class Disk:
    """A disk. What the machine writes to it is thrown away."""

    file: Path
    serial: str
    """By which the machine finds it, as /dev/soulbox/SERIAL; up to 20 characters."""


class Kind(Protocol):
    """A way to run a machine."""

    def start(self, base: Base, disks: Sequence[Disk], work: Path, console: Path) -> Process:
        """Start a machine that leads a session of its own.

        :param disks: the first is its root
        :param work: for what the machine writes, of which nothing is kept
        :param console: for what its kernel and systemd print
        :return: the machine's port is its stdin, which must stay open, and its stdout
        """


def follow(process: Process, seconds: float, console: Path) -> int:
    """Show what the machine's job says to the end, switch it off, and return the job's exit code.

    :param seconds: after which it is switched off, whatever it does
    :raises Unable: the job did not get to its end
    """
    try:
        return _relay(process, seconds)
    except Unable as error:
        lines = console.read_text(errors="replace").splitlines() if console.exists() else []
        tail = "\n".join(f"  | {line}" for line in lines[-_TAIL_LINES:])
        raise Unable(f"{error}; the end of its console ({console}):\n{tail}") from None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _relay(process: Process, seconds: float) -> int:
    """Show the job's output as it comes; return its exit code."""
    assert process.stdout is not None
    deadline = time.monotonic() + seconds
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    pending = ""
    while selector.select(max(0.0, deadline - time.monotonic())):
        chunk = process.stdout.read1()  # type: ignore[attr-defined]  # a BufferedReader, typed IO
        if not chunk:
            raise Unable("the machine ended before its job did")
        *lines, pending = (pending + chunk.decode(errors="replace")).split("\n")
        for line in lines:
            if line.startswith(_EXIT_MARK):
                return int(line.removeprefix(_EXIT_MARK))
            print(line, flush=True)
        # pytest shows its progress within a line
        if pending and not pending.startswith(_EXIT_MARK[0]):
            sys.stdout.write(pending)
            sys.stdout.flush()
            pending = ""
    raise Unable(f"the machine was switched off after {seconds:g} s (see --timeout)")
