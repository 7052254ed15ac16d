"""Run the integration tests on a cgroup v2 host: a small virtual machine of our own.

Started by scripts/test-vm, which sees to tools and images and pipes the names of the project's
files in, each ended by NUL.
"""

import argparse
import fcntl
import os
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import base
import payload
from machine import Disk, Hardware, boot
from tools import Unable, say

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT = ("-m", "integration", "tests/integration")
SLOWLY = ("-p", "no:cacheprovider", "-o", "timeout=900")
"""The project's own time for a test is not made for emulation."""
UNABLE = 125
"""Exit code when it is the machine that failed; pytest's own are below 10."""
LOAD = """\
#!/bin/sh
exec podman load --input /images/images.tar
"""


@dataclass(frozen=True)
class Rig:
    """All that the machine takes, except for the job."""

    system: base.Base
    site: Disk
    hardware: Hardware
    console: Path
    files: tuple[str, ...]
    """The project's."""

    def run(self, job: str, work: Path, *disks: Disk) -> int:
        """Boot the machine for one job and return the job's exit code."""
        code = Disk(payload.code_disk(PROJECT, self.files, job, work))
        say("booting")
        return boot(self.system, (code, self.site, *disks), self.hardware, self.console)


def main() -> int:
    """Run the job and return its exit code."""
    arguments = _parse()
    cache: Path = arguments.cache
    os.environ["TMPDIR"] = str(cache)  # QEMU's overlays may not fit in a tmpfs
    try:
        with (
            (cache / "lock").open("w") as lock,
            tempfile.TemporaryDirectory(dir=cache, prefix="run-") as work,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX)
            rig = Rig(
                system=base.ensure(cache),
                site=Disk(payload.site_disk(PROJECT, cache)),
                hardware=Hardware(
                    arguments.accel, arguments.memory, arguments.cpus, arguments.timeout
                ),
                console=cache / "console.log",
                files=tuple(sys.stdin.read().split("\0")[:-1]),
            )
            storage = cache / f"storage-{arguments.images}.ext4"
            if not storage.exists():
                _fill(storage, cache / f"images-{arguments.images}.tar", rig, Path(work))
            return rig.run(_job(arguments), Path(work), Disk(storage))
    except Unable as error:
        print(f"✗ {error}", file=sys.stderr)
        return UNABLE


def _fill(storage: Path, archive: Path, rig: Rig, work: Path) -> None:
    """Load the images in the machine, once: under emulation that takes minutes."""
    say("loading the images in the machine; once for each set of images, some minutes")
    with tempfile.TemporaryDirectory(dir=work) as directory:
        room = Path(directory)
        payload.empty_storage_disk(room / "storage")
        images = Disk(payload.archive_disk(archive, room))
        if rig.run(LOAD, room, images, Disk(room / "storage", keep=True)):
            raise Unable("the images cannot be loaded in the machine")
        (room / "storage").rename(storage)
    payload.forget_others(storage)


def _job(arguments: argparse.Namespace) -> str:
    if arguments.exec:
        try:
            text: str = arguments.exec.read_text()
        except OSError as error:
            raise Unable(f"--exec {arguments.exec}: {error.strerror}") from None
        return text
    words = shlex.join((*SLOWLY, *(arguments.pytest or DEFAULT)))
    return f"#!/bin/sh\npython3 proto/generate.py && exec python3 -m pytest {words}\n"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/test-vm", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("pytest", nargs="*", help=f"arguments of pytest, after a --; {shlex.join(DEFAULT)}")
    add("--exec", type=Path, metavar="FILE", help="run this script there instead of pytest")
    add("--timeout", type=float, default=3600, metavar="SECONDS", help="for each boot; %(default)s")
    add("--accel", choices=("tcg", "kvm"), default="tcg", help="%(default)s emulates")
    add("--memory", type=int, default=4096, metavar="MIB", help="%(default)s")
    add("--cpus", type=int, default=2, help="%(default)s")
    add("--cache", type=Path, required=True, help=argparse.SUPPRESS)
    add("--images", required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
