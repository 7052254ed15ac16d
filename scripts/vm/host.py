"""What the host must have, and how its tools are run."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

QEMU = {"x86_64": "qemu-system-x86_64", "aarch64": "qemu-system-aarch64"}
_QEMU_PACKAGE = {"x86_64": "qemu-system-x86", "aarch64": "qemu-system-arm"}


class Unable(Exception):
    """The machine cannot be made or run; the message says what to do."""


def say(text: str) -> None:
    """Show a step, apart from the output of the tests."""
    print(f"\033[2m[vm] {text}\033[0m" if sys.stderr.isatty() else f"[vm] {text}", file=sys.stderr)


def machine() -> str:
    """The architecture of this host, which is that of the virtual machine too."""
    name = platform.machine()
    if name not in QEMU:
        raise Unable(f"no virtual machine for {name} hosts; known: {', '.join(QEMU)}")
    return name


def cache_dir() -> Path:
    """Where images are kept between runs; safe to remove at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = Path(base) / "soulbox" / "vm"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def ensure_tools() -> None:
    """Install what is missing, as root; tell how, otherwise."""
    needed = {
        QEMU[machine()]: _QEMU_PACKAGE[machine()],
        "mmdebstrap": "mmdebstrap",
        "mke2fs": "e2fsprogs",
        "git": "git",
    }
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    os.environ["PATH"] = path
    missing = sorted(package for tool, package in needed.items() if not shutil.which(tool))
    if not missing:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise Unable(f"not installed: {', '.join(missing)}; run: sudo {' '.join(install)}")
    say(f"installing {', '.join(missing)}")
    run(["apt-get", "update", "--quiet=2"])
    run(install)


def run(argv: Sequence[str], **options: object) -> None:
    """Run a tool quietly; show what it said when it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-20:])
        raise Unable(f"{argv[0]} failed with code {done.returncode}:\n{last}")


def as_root(argv: Sequence[str]) -> Sequence[str]:
    """The command line that runs a tool as root, if need be of a user namespace."""
    if os.getuid() == 0:
        return argv
    return ["unshare", "--user", "--map-root-user", "--map-auto", *argv]
