"""The machine by User Mode Linux: Linux compiled to run as programs of the host.

https://docs.kernel.org/virt/uml/user_mode_linux_howto_v2.html. It needs no privilege and nothing
of the processor, and what runs in it runs on the processor itself. It has one processor, and only
x86-64 has it.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import network
from base import Base
from machine import Disk, Process

_MEMORY = Path("/dev/shm")  # noqa: S108 - User Mode Linux makes a nameless file there
"""Where its memory is a file, if there is room: elsewhere the host writes it to a disk."""


@dataclass(frozen=True)
class UserModeLinux:
    """A `machine.Kind`."""

    memory_mib: int

    def start(self, base: Base, disks: Sequence[Disk], work: Path, console: Path) -> Process:
        """See `machine.Kind`."""
        (work / "empty").mkdir()
        with console.open("wb") as log, network.plug() as outlet:
            return subprocess.Popen(
                [*self._argv(disks, work, outlet.fileno())],
                pass_fds=[outlet.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # base.py has it find its loader and libc here: the host's may be too old
                cwd=base.user_mode,
                env={"LD_LIBRARY_PATH": ".", "TMPDIR": str(self._memory(work))},
                start_new_session=True,
            )

    def _argv(self, disks: Sequence[Disk], work: Path, outlet: int) -> Iterator[str]:
        yield "./linux"
        yield f"mem={self.memory_mib}M"
        yield from ("root=/dev/ubda", "rw", "panic=-1")
        # Twice as fast as ptrace. It keeps programs from the machine's memory less well, which is
        # no more than a test's.
        yield "seccomp=on"
        for number, disk in enumerate(disks):
            # what the machine writes goes to the first file
            yield f"ubd{number}={work}/{disk.serial}.cow,{disk.file}"
            yield f"soulbox.disk={disk.serial}:ubd{chr(ord('a') + number)}"
        # the kernel's messages, the job's port (/dev/ttyS0), and no other terminals
        yield from ("con0=null,fd:2", "con=null", "ssl0=fd:0,fd:1", "ssl=null")
        yield f"vec0:transport=fd,fd={outlet}"
        yield f"uml_dir={work}"
        yield f"hostfs={work}/empty"  # all of the host's files that it can see

    def _memory(self, work: Path) -> Path:
        if not _MEMORY.is_dir() or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
            return work
        fits = shutil.disk_usage(_MEMORY).free > self.memory_mib << 20
        return _MEMORY if fits else work
