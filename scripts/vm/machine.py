"""Boots the virtual machine and passes on what it says."""

import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from base import BaseImage
from host import QEMU, Unable, machine, say

EXIT_MARK = "@@soulbox-vm exit "
_CONSOLE = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}
_TYPE = {"x86_64": "q35,sata=off", "aarch64": "virt"}
_CONSOLE_TAIL_LINES = 30


@dataclass(frozen=True)
class Hardware:
    """What the machine is given."""

    accelerator: str
    """tcg emulates and works anywhere, some ten times slower; kvm needs /dev/kvm to be usable."""
    memory_mib: int
    cpus: int


def boot(
    base: BaseImage, disks: list[Path], hardware: Hardware, console: Path, timeout_seconds: float
) -> int:
    """Run the machine to its end and return the job's exit code.

    :param disks: read-only disks; the machine finds them by their labels
    :param console: file for what kernel and systemd print
    :raises Unable: the machine did not get to the end of the job
    """
    argv = _argv(base, disks, hardware, console)
    # stdin is a pipe that stays open: at its end QEMU would close the job's port both ways.
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        code = _relay(process, time.monotonic() + timeout_seconds)
    finally:
        process.kill()
        process.wait()
    if code is None:
        lines = console.read_text(errors="replace").splitlines()[-_CONSOLE_TAIL_LINES:]
        raise Unable("the machine ended before the job did; its console:\n" + "\n".join(lines))
    return code


def _argv(
    base: BaseImage, disks: list[Path], hardware: Hardware, console: Path
) -> list[str]:
    drives = [f"file={disk},format=raw,if=virtio,readonly=on" for disk in disks]
    kernel_line = f"console={_CONSOLE[machine()]} root=LABEL=root rw panic=-1"
    return [
        *(QEMU[machine()], "-machine", _TYPE[machine()], "-accel", hardware.accelerator),
        *("-cpu", "max", "-smp", str(hardware.cpus), "-m", str(hardware.memory_mib)),
        *("-nodefaults", "-display", "none", "-no-reboot", "-nic", "none"),
        *("-kernel", str(base.kernel), "-initrd", str(base.initrd), "-append", kernel_line),
        # snapshot: what the machine writes goes to a nameless temporary file
        *("-drive", f"file={base.disk},format=raw,if=virtio,snapshot=on,cache=unsafe"),
        *(word for drive in drives for word in ("-drive", drive)),
        *("-serial", f"file:{console}"),
        *("-device", "virtio-serial", "-chardev", "stdio,id=job,signal=off"),
        *("-device", "virtserialport,chardev=job,name=soulbox"),
        *("-device", "virtio-rng-pci"),
    ]


def _relay(process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """Show the job's lines as they come; return its exit code, None if the machine just ended."""
    assert process.stdout is not None
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    pending = b""
    while True:
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise Unable("out of time; see --timeout")
        chunk = process.stdout.read1()
        if not chunk:
            return None
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            if text.startswith(EXIT_MARK):
                say("the job ended; the machine is switched off")
                return int(text.removeprefix(EXIT_MARK))
            print(text, flush=True)
        # pytest shows progress within a line
        if pending and not pending.startswith(EXIT_MARK[:2].encode()):
            sys.stdout.write(pending.decode(errors="replace"))
            sys.stdout.flush()
            pending = b""
