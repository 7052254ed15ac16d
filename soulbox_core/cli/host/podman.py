"""Rootless Podman: the command, its helpers, its storage."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from soulbox_core.cli.host.finding import Finding, failed, passed, warned
from soulbox_core.errors import HostError
from soulbox_core.model import Value
from soulbox_core.sandbox.podman_env import oci_runtime, podman_environment
from soulbox_core.settings import Settings

_INFO_SECONDS = 60
_SUBORDINATE_IDS = 65536
_SUBORDINATE_FILES = {Path("/etc/subuid"): "--add-subuids", Path("/etc/subgid"): "--add-subgids"}
_FIRST_ID = 100000
"""SUB_UID_MIN of login.defs(5)."""


class _Store(msgspec.Struct):
    driver: str = msgspec.field(name="graphDriverName")
    status: dict[str, str] = msgspec.field(name="graphStatus")


class _Version(msgspec.Struct):
    version: str = msgspec.field(name="Version")


class Info(msgspec.Struct):
    """The part of `podman info --format json` that matters here."""

    store: _Store
    version: _Version


def helpers(settings: Settings) -> Finding:
    """newuidmap and newgidmap map a rootless container's users."""
    missing = [name for name in ("newuidmap", "newgidmap") if not shutil.which(name)]
    if missing:
        return failed("uid mapping", f"no {' and no '.join(missing)}", "apt-get install uidmap")
    return passed("uid mapping", "newuidmap and newgidmap are there")


def subordinate_ids(settings: Settings) -> Finding:
    """A container needs a range of user and group ids of its own."""
    name = pwd.getpwuid(os.getuid()).pw_name
    for file, option in _SUBORDINATE_FILES.items():
        most = max((one.count for one in ranges(file) if one.is_of(name)), default=0)
        if most < _SUBORDINATE_IDS:
            first = max((one.first + one.count for one in all_ranges()), default=_FIRST_ID)
            fix = f"usermod {option} {first}-{first + _SUBORDINATE_IDS - 1} {name}"
            detail = f"{file} gives {name} {most} ids; {_SUBORDINATE_IDS} are needed"
            return failed("subordinate ids", detail, fix)
    return passed("subordinate ids", f"{name} has {_SUBORDINATE_IDS} or more")


class Range(Value):
    """A line of subuid(5) or subgid(5)."""

    owner: str
    first: int
    count: int

    def is_of(self, name: str) -> bool:
        """Whether it is this process's user's, by name or by number."""
        return self.owner in (name, str(os.getuid()))


def ranges(file: Path) -> Iterator[Range]:
    """Read one of the files; a missing one has no ranges."""
    for line in file.read_text().splitlines() if file.exists() else ():
        owner, _, numbers = line.partition(":")
        first, _, count = numbers.partition(":")
        if first.isdigit() and count.isdigit():
            yield Range(owner=owner, first=int(first), count=int(count))


def all_ranges() -> Iterator[Range]:
    """All ranges of both files: a new one must overlap none."""
    return chain.from_iterable(map(ranges, _SUBORDINATE_FILES))


def runtime(settings: Settings) -> Finding:
    """The OCI runtime that fits the cgroup version."""
    try:
        name = settings.podman.runtime or oci_runtime()
    except HostError as error:
        detail, _, fix = str(error).partition("; run: ")
        return failed("OCI runtime", detail, fix)
    return passed("OCI runtime", name)


def works(settings: Settings) -> Finding:
    """Podman starts without root, on native overlay."""
    if not shutil.which("podman"):
        return failed("podman", "not installed", "apt-get install podman")
    try:
        done = subprocess.run(
            ("podman", "info", "--format=json"),
            env=podman_environment(settings),
            cwd="/",
            capture_output=True,
            check=False,
            timeout=_INFO_SECONDS,
        )
    except (HostError, subprocess.TimeoutExpired) as error:
        return failed("podman", str(error), "podman info")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return failed("podman", " ".join(last), "podman info; podman system migrate")
    return judge(msgspec.json.decode(done.stdout, type=Info))


def judge(info: Info) -> Finding:
    """Judge what Podman says of itself."""
    storage = info.store.driver
    if storage != "overlay":
        return failed("podman", f"storage driver {storage}", "rm -r the state directory's storage")
    if info.store.status.get("Native Overlay Diff") != "true":
        detail = "overlay through fuse is slow"
        return warned("podman", detail, "apt-get remove fuse-overlayfs, and a kernel from 5.13")
    return passed("podman", f"{info.version.version}, rootless, native overlay")
