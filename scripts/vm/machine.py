"""Boots the virtual machine and passes on what its job says."""

import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from base import MACHINE, Base
from tools import Unable

_EXIT_MARK = "@@soulbox-vm exit "
"""Begins the job's last line; guest/main writes it."""
# la57: Linux built without it takes its own addresses for bad when QEMU 7.2 emulates it, and
# shows "xxx" for every path in /proc/self/mountinfo. svm: not needed, loads KVM's modules.
_QEMU = {
    "x86_64": ("qemu-system-x86_64", "-machine", "q35,sata=off", "-cpu", "max,-svm,-la57"),
    "aarch64": ("qemu-system-aarch64", "-machine", "virt", "-cpu", "max"),
}
_CONSOLES = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}
_HASTE = "mitigations=off init_on_alloc=0"
"""What protects a host from its processor only costs time where there is none."""
_TAIL_LINES = 30


@dataclass(frozen=True)
class Disk:
    """A disk. What the machine writes to it is thrown away."""

    file: Path
    serial: str
    """By which the machine finds it, as /dev/disk/by-id/virtio-SERIAL; up to 20 characters."""


@dataclass(frozen=True)
class Hardware:
    """What the machine is given."""

    accelerator: str
    """tcg emulates and works anywhere, 10 to 20 times slower; kvm needs a usable /dev/kvm."""
    memory_mib: int
    cpus: int
    seconds: float
    """After which it is switched off, whatever it does."""


def boot(base: Base, disks: Iterable[Disk], hardware: Hardware, console: Path) -> int:
    """Run the machine to the end of its job and return the job's exit code.

    :param console: file for what its kernel and systemd print
    :raises Unable: the job did not get to its end
    """
    argv = _argv(base, disks, hardware, console)
    # stdin is a pipe that stays open: at its end QEMU would close the job's port both ways.
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        return _relay(process, hardware.seconds)
    except Unable as error:
        lines = console.read_text(errors="replace").splitlines() if console.exists() else []
        tail = "\n".join(f"  | {line}" for line in lines[-_TAIL_LINES:])
        raise Unable(f"{error}; the end of its console ({console}):\n{tail}") from None
    finally:
        process.kill()
        process.wait()


def _argv(base: Base, disks: Iterable[Disk], hardware: Hardware, console: Path) -> list[str]:
    kernel_line = f"console={_CONSOLES[MACHINE]} root=LABEL=root rw panic=-1 {_HASTE}"
    return [
        *(*_QEMU[MACHINE], "-accel", hardware.accelerator),
        *("-smp", str(hardware.cpus), "-m", str(hardware.memory_mib)),
        *("-nodefaults", "-display", "none", "-no-reboot", "-nic", "user,model=virtio-net-pci"),
        *("-kernel", str(base.kernel), "-initrd", str(base.initrd), "-append", kernel_line),
        *_drives((Disk(base.disk, "root"), *disks)),
        *("-serial", f"file:{console}", "-device", "virtio-rng-pci", "-device", "virtio-serial"),
        *("-chardev", "stdio,id=job,signal=off"),
        *("-device", "virtserialport,chardev=job,name=soulbox"),
    ]


def _drives(disks: Iterable[Disk]) -> Iterator[str]:
    for disk in disks:
        # snapshot: what the machine writes goes to a nameless temporary file
        yield "-drive"
        yield f"file={disk.file},format=raw,if=none,id={disk.serial},cache=unsafe,snapshot=on"
        yield "-device"
        yield f"virtio-blk-pci,drive={disk.serial},serial={disk.serial}"


def _relay(process: subprocess.Popen[bytes], seconds: float) -> int:
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
