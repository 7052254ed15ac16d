"""Install and try the service on a cgroup v2 host: a small virtual machine of our own.

Started by scripts/test-vm, which sees to tools and images and pipes the names of the project's
files in, each ended by NUL.
"""

import argparse
import fcntl
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import base
import payload
from machine import Disk, Kind, follow
from qemu import Qemu
from tools import Unable, say
from uml import UserModeLinux

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT = ("-m", "integration", "tests/integration", "plugins")
SLOWNESS = {"uml": 5, "tcg": 10, "kvm": 1}
"""How many times as long everything may take as on a host."""
PROVE = """\
#!/bin/sh
exec /code/guest/prove {slowness} {words}
"""
DISK = "an ext4 file system of yours, mounted at /more/0, the next at /more/1"
UNABLE = 125
"""Exit code when it is the machine that failed; pytest's own are below 10."""
ACCELERATORS = ("uml", "tcg", "kvm") if base.MACHINE == "x86_64" else ("tcg", "kvm")
ACCELERATED = "%(default)s; uml: User Mode Linux, tcg: QEMU emulates, kvm: QEMU does not"
USERS = ("tester", "soulbox")
"""Of the machine, who each have a storage of their own. base.py makes them."""


def main() -> int:
    """Run the job and return its exit code."""
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # not without the machine
    arguments = _parse()
    if arguments.check:
        return 0
    cache: Path = arguments.cache
    try:
        with _alone(cache) as work:
            system = base.ensure(cache)
            files = sys.stdin.read().split("\0")[:-1]
            code = payload.code_disk(PROJECT, files, _job(arguments), arguments.tool, work)
            wheels = payload.wheels_disk(PROJECT, cache)
            disks = (
                Disk(system.disk, "root"),
                Disk(code, "code"),
                Disk(wheels, "wheels"),
                *(Disk(arguments.storage, f"storage-{user}") for user in USERS),
                *(Disk(file, f"more-{n}") for n, file in enumerate(arguments.disk)),
            )
            console = cache / "console.log"
            console.write_bytes(b"")  # a machine that cannot even begin leaves none
            say("booting")
            machine = _kind(arguments).start(system, disks, work, console)
            return follow(machine, arguments.timeout, console)
    except Unable as error:
        print(f"✗ {error}", file=sys.stderr)
        return UNABLE


@contextmanager
def _alone(cache: Path) -> Iterator[Path]:
    """A directory for this run, while no other uses the cache; killed ones leave theirs."""
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in cache.glob("run-*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=cache, prefix="run-") as work:
            yield Path(work)


def _kind(arguments: argparse.Namespace) -> Kind:
    if arguments.accel == "uml":
        return UserModeLinux(arguments.memory)
    return Qemu(arguments.accel, arguments.memory, arguments.cpus)


def _job(arguments: argparse.Namespace) -> str:
    if arguments.exec:
        try:
            text: str = arguments.exec.read_text()
        except OSError as error:
            raise Unable(f"--exec {arguments.exec}: {error.strerror}") from None
        return text
    words = ("--smoke",) if arguments.smoke else arguments.pytest or DEFAULT
    return PROVE.format(slowness=SLOWNESS[arguments.accel], words=shlex.join(words))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/test-vm", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("pytest", nargs="*", help=f"arguments of scripts/test, after a --; {shlex.join(DEFAULT)}")
    add("--smoke", action="store_true", help="only scripts/serve, and a request in each language")
    add("--exec", type=Path, metavar="FILE", help="run this script there, as root, and no more")
    add("--disk", type=Path, action="append", default=[], metavar="FILE", help=DISK)
    add("--timeout", type=float, default=6 * 3600, metavar="SECONDS", help="%(default)s")
    add("--accel", choices=ACCELERATORS, default=ACCELERATORS[0], help=ACCELERATED)
    add("--memory", type=int, default=8192, metavar="MIB", help="%(default)s")
    add("--cpus", type=int, default=2, help="%(default)s; User Mode Linux has one")
    add("--check", action="store_true", help=argparse.SUPPRESS)
    add("--cache", type=Path, required=True, help=argparse.SUPPRESS)
    add("--tool", type=Path, action="append", default=[], help=argparse.SUPPRESS)
    add("--storage", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
