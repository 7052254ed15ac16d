"""The machine by QEMU: emulated, which works anywhere but is slow, or by KVM."""

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from base import MACHINE, Base
from machine import Disk, Process

# la57: Linux built without it takes its own addresses for bad when QEMU 7.2 emulates it, and
# shows "xxx" for every path in /proc/self/mountinfo. svm: not needed, loads KVM's modules.
_QEMU = {
    "x86_64": ("qemu-system-x86_64", "-machine", "q35,sata=off", "-cpu", "max,-svm,-la57"),
    "aarch64": ("qemu-system-aarch64", "-machine", "virt", "-cpu", "max"),
}
_CONSOLES = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}
_HASTE = "mitigations=off init_on_alloc=0"
"""What protects a host from its processor only costs time where there is none."""


@dataclass(frozen=True)
class Qemu:
    """A `machine.Kind`."""

    accelerator: str
    """tcg emulates; kvm needs a usable /dev/kvm."""
    memory_mib: int
    cpus: int

    def start(self, base: Base, disks: Sequence[Disk], work: Path, console: Path) -> Process:
        """See `machine.Kind`."""
        return subprocess.Popen(
            self._argv(base, disks, console),
            stdin=subprocess.PIPE,  # at its end QEMU would close the port both ways
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(work)},
            start_new_session=True,
        )

    def _argv(self, base: Base, disks: Iterable[Disk], console: Path) -> list[str]:
        kernel_line = f"console={_CONSOLES[MACHINE]} root=LABEL=root rw panic=-1 {_HASTE}"
        return [
            *(*_QEMU[MACHINE], "-accel", self.accelerator),
            *("-smp", str(self.cpus), "-m", str(self.memory_mib)),
            *("-nodefaults", "-display", "none", "-no-reboot"),
            *("-nic", "user,model=virtio-net-pci"),
            *("-kernel", str(base.kernel), "-initrd", str(base.initrd), "-append", kernel_line),
            *_drives(disks),
            *("-serial", f"file:{console}", "-device", "virtio-rng-pci"),
            *("-device", "virtio-serial", "-chardev", "stdio,id=job,signal=off"),
            *("-device", "virtserialport,chardev=job,name=soulbox"),
        ]


def _drives(disks: Iterable[Disk]) -> Iterator[str]:
    for disk in disks:
        # snapshot: what the machine writes goes to a nameless temporary file
        yield "-drive"
        yield f"file={disk.file},format=raw,if=none,id={disk.serial},cache=unsafe,snapshot=on"
        yield "-device"
        yield f"virtio-blk-pci,drive={disk.serial},serial={disk.serial}"
