"""Run the integration tests on a cgroup v2 host: a small virtual machine of our own."""

import argparse
import fcntl
import shlex
import sys
import tempfile
from pathlib import Path

import base
import payload
from host import Unable, cache_dir, ensure_tools
from machine import Hardware, boot

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT = ["-m", "integration", "tests/integration"]
UNABLE = 125
"""Exit code when it is the machine that failed; pytest's own are below 10."""


def main() -> int:
    arguments = _parse()
    cache = cache_dir()
    try:
        ensure_tools()
        with (cache / "lock").open("w") as lock, tempfile.TemporaryDirectory(dir=cache) as work:
            fcntl.flock(lock, fcntl.LOCK_EX)
            image = base.ensure(cache)
            disks = [
                payload.code_disk(PROJECT, _job(arguments), Path(work)),
                payload.site_disk(PROJECT, cache),
                *arguments.disk,
            ]
            hardware = Hardware(arguments.accel, arguments.memory, arguments.cpus)
            return boot(image, disks, hardware, cache / "console.log", arguments.timeout)
    except Unable as error:
        print(f"test-vm: {error}", file=sys.stderr)
        return UNABLE


def _job(arguments: argparse.Namespace) -> str:
    if arguments.exec:
        return arguments.exec.read_text()
    words = shlex.join(arguments.pytest or DEFAULT)
    return f"#!/bin/sh\nexec python3 -m pytest -p no:cacheprovider {words}\n"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/test-vm", description=__doc__)
    parser.add_argument("pytest", nargs="*", help=f"arguments for pytest ({shlex.join(DEFAULT)})")
    parser.add_argument("--exec", type=Path, metavar="FILE", help="run this script instead of pytest")
    parser.add_argument("--disk", type=Path, action="append", default=[], help="a further disk")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for the whole run")
    parser.add_argument("--accel", choices=("tcg", "kvm"), default="tcg", help="of QEMU")
    parser.add_argument("--memory", type=int, default=4096, metavar="MIB")
    parser.add_argument("--cpus", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
