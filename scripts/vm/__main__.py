"""Install and try the service on a cgroup v2 host: a small virtual machine of our own.

Started by scripts/test-vm, which sees to tools and images and pipes the names of the project's
files in, each ended by NUL.
"""

import argparse
import fcntl
import os
import shlex
import sys
import tempfile
from pathlib import Path

import base
import payload
from machine import Disk, Hardware, boot
from tools import Unable, say

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT = ("-m", "integration", "tests/integration", "plugins")
SLOWLY = ("-o", "timeout=900")
"""The project's own time for a test is not made for emulation."""
PROVE = """\
#!/bin/sh
exec /code/guest/prove {words}
"""
DISK = "an ext4 file system of yours, mounted at /more/0, the next at /more/1"
UNABLE = 125
"""Exit code when it is the machine that failed; pytest's own are below 10."""
USERS = ("tester", "soulbox")
"""Of the machine, who each have a storage of their own. base.py makes them."""


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
            system = base.ensure(cache)
            files = sys.stdin.read().split("\0")[:-1]
            code = payload.code_disk(PROJECT, files, _job(arguments), Path(work))
            wheels = payload.wheels_disk(PROJECT, cache)
            say("booting")
            return boot(
                system,
                (
                    Disk(code, "code"),
                    Disk(wheels, "wheels"),
                    *(Disk(arguments.storage, f"storage-{user}") for user in USERS),
                    *(Disk(file, f"more-{n}") for n, file in enumerate(arguments.disk)),
                ),
                Hardware(arguments.accel, arguments.memory, arguments.cpus, arguments.timeout),
                cache / "console.log",
            )
    except Unable as error:
        print(f"✗ {error}", file=sys.stderr)
        return UNABLE


def _job(arguments: argparse.Namespace) -> str:
    if arguments.exec:
        try:
            text: str = arguments.exec.read_text()
        except OSError as error:
            raise Unable(f"--exec {arguments.exec}: {error.strerror}") from None
        return text
    if arguments.smoke:
        return PROVE.format(words="--smoke")
    return PROVE.format(words=shlex.join((*SLOWLY, *(arguments.pytest or DEFAULT))))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/test-vm", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("pytest", nargs="*", help=f"arguments of scripts/test, after a --; {shlex.join(DEFAULT)}")
    add("--smoke", action="store_true", help="only scripts/serve, and a request in each language")
    add("--exec", type=Path, metavar="FILE", help="run this script there, as root, and no more")
    add("--disk", type=Path, action="append", default=[], metavar="FILE", help=DISK)
    add("--timeout", type=float, default=6 * 3600, metavar="SECONDS", help="%(default)s")
    add("--accel", choices=("tcg", "kvm"), default="tcg", help="%(default)s emulates")
    add("--memory", type=int, default=4096, metavar="MIB", help="%(default)s")
    add("--cpus", type=int, default=2, help="%(default)s")
    add("--cache", type=Path, required=True, help=argparse.SUPPRESS)
    add("--storage", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
