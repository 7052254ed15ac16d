"""Find the cgroup directories that the service may use, without changing anything."""

import os
from collections.abc import Mapping
from pathlib import Path

from soulbox_core.errors import HostError
from soulbox_core.model import Value
from soulbox_core.sandbox.cgroup import v1, v2

_DELEGATED = "soulbox"
"""Directory that scripts/serve makes in each v1 hierarchy."""
_FIX = "run scripts/serve, which prepares it, or see docs/operating.md, 'cgroups'"


class CgroupRoots(Value):
    """Where cgroups may be made: {"unified": dir} on v2, a directory per controller on v1."""

    version: int
    directories: Mapping[str, str]


def find(
    configured: tuple[str, ...] = (),
    *,
    own: Path = Path("/proc/self/cgroup"),
    mounts: Path = Path("/proc/self/mountinfo"),
) -> CgroupRoots:
    """Return writable roots that have every controller.

    :param configured: directories from the settings; empty means look for them
    :raises HostError: none, or a controller is missing; says what to run
    """
    if configured:
        return _from_settings(configured)
    hierarchies = _mounted(mounts)
    if any(controller in hierarchies for controller in v1.CONTROLLERS):
        return _v1_roots(hierarchies)
    if "unified" in hierarchies:
        return _v2_root(_own_v2_directory(hierarchies["unified"], own))
    raise HostError("no cgroup file system is mounted; mount cgroup2 on /sys/fs/cgroup")


def _from_settings(configured: tuple[str, ...]) -> CgroupRoots:
    if len(configured) == 1 and os.path.exists(f"{configured[0]}/cgroup.controllers"):
        return _v2_root(configured[0])
    directories = {}
    for root in configured:
        for controller in os.path.basename(root.rstrip("/")).split(","):
            directories[controller] = root.rstrip("/")
    directories.setdefault("cpuacct", directories.get("cpu", ""))
    return _checked_v1(directories)


def _mounted(mounts: Path) -> dict[str, str]:
    """Controller (or "unified") to mount point, from lines as in proc_pid_mountinfo(5)."""
    hierarchies = {}
    for line in mounts.read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        mount_point = before.split(" ")[4]
        if kind == "cgroup2":
            hierarchies["unified"] = mount_point
        elif kind == "cgroup":
            for option in options.split(","):
                hierarchies[option] = mount_point
    return hierarchies


def _v1_roots(hierarchies: Mapping[str, str]) -> CgroupRoots:
    missing = [c for c in v1.CONTROLLERS if c not in hierarchies]
    if missing:
        raise HostError(
            f"cgroup v1 lacks the {', '.join(missing)} controller: boot with cgroup v2 instead"
            " (systemd.unified_cgroup_hierarchy=1)"
        )
    return _checked_v1({c: f"{hierarchies[c]}/{_DELEGATED}" for c in v1.CONTROLLERS})


def _checked_v1(directories: Mapping[str, str]) -> CgroupRoots:
    for controller in v1.CONTROLLERS:
        directory = directories.get(controller, "")
        if not directory:
            raise HostError(f"cgroup.roots names no directory for the {controller} controller")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise HostError(f"cgroup directory {directory} is not writable: {_FIX}")
    return CgroupRoots(version=1, directories={c: directories[c] for c in v1.CONTROLLERS})


def _own_v2_directory(mount_point: str, own: Path) -> str:
    for line in own.read_text().splitlines():
        if line.startswith("0::"):
            path = line.removeprefix("0::").rstrip("/")
            # A service that was restarted by its supervisor may find itself in svc already.
            return mount_point + path.removesuffix(f"/{v2.SERVICE}")
    raise HostError(f"this process is in no cgroup v2: {_FIX}")


def _v2_root(directory: str) -> CgroupRoots:
    for name in ("", "/cgroup.procs", "/cgroup.subtree_control"):
        if not os.access(directory + name, os.W_OK):
            raise HostError(f"cgroup {directory}{name} is not writable: {_FIX}")
    available = Path(f"{directory}/cgroup.controllers").read_text().split()
    missing = [c for c in v2.CONTROLLERS if c not in available]
    if missing:
        raise HostError(f"cgroup {directory} lacks the {', '.join(missing)} controller: {_FIX}")
    return CgroupRoots(version=2, directories={"unified": directory})
