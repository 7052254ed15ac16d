"""The kernel: its version, its namespaces, its accounting of swap."""

import os
import platform
import re
from pathlib import Path

from soulbox_core.cli.host.finding import Finding, failed, passed, warned
from soulbox_core.settings import Settings

OLDEST = (5, 13)
"""First kernel on which overlay can be mounted in a user namespace with its xattrs."""
_NAMESPACES = ("user", "pid", "net", "mnt", "ipc", "uts", "cgroup")
_ENOUGH_NAMESPACES = 1024
_SYSCTL = Path("/proc/sys")


def user(settings: Settings) -> Finding:
    """Rootless means rootless: as root, a hole in Podman would be a hole in the host."""
    if os.getuid() == 0:
        return failed("user", "this is root", "scripts/soulbox check (it drops to the right user)")
    return passed("user", f"user id {os.getuid()}")


def version(settings: Settings) -> Finding:
    """Old kernels lack overlay mounts in user namespaces, and much else."""
    release = platform.release()
    numbers = re.match(r"(\d+)\.(\d+)", release)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return failed("kernel", f"{release} is older than {oldest}", "apt-get dist-upgrade")
    return passed("kernel", release)


def user_namespaces(settings: Settings) -> Finding:
    """Whether an unprivileged user may make user namespaces."""
    for key, refusing in (
        ("user.max_user_namespaces", "0"),
        ("kernel.unprivileged_userns_clone", "0"),
    ):
        if sysctl(key) == refusing:
            good = "15000" if key.startswith("user.") else "1"
            return failed("user namespaces", f"{key} = {refusing}", f"sysctl -w {key}={good}")
    key = "kernel.apparmor_restrict_unprivileged_userns"
    if sysctl(key) == "1" and not Path("/etc/apparmor.d/podman").exists():
        return failed("user namespaces", f"{key} = 1, no profile for podman", f"sysctl -w {key}=0")
    return passed("user namespaces", "allowed")


def namespaces(settings: Settings) -> Finding:
    """Each cell has six; those of all cells count."""
    limits = {f"user.max_{kind}_namespaces": 0 for kind in _NAMESPACES}
    for key in limits:
        limits[key] = int(sysctl(key) or _ENOUGH_NAMESPACES)
    key = min(limits, key=lambda key: limits[key])
    if limits[key] < _ENOUGH_NAMESPACES:
        fix = f"sysctl -w {key}=15000"
        return warned("namespaces", f"{key} = {limits[key]} bounds the number of cells", fix)
    return passed("namespaces", f"at least {limits[key]} of each kind")


def swap(settings: Settings) -> Finding:
    """Memory limits hold only if a cell cannot swap, or if its swap is counted."""
    total = re.search(r"^SwapTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    if total and total[1] == "0":
        return passed("swap", "there is none")
    root = Path("/sys/fs/cgroup")
    counted = (
        (root / "memory/memory.memsw.limit_in_bytes").exists()
        or any(root.glob("*/memory.swap.max"))
        or any(root.glob("*/*/memory.swap.max"))
    )
    if counted:
        return passed("swap", "accounted per cgroup")
    fix = "swapoff -a (or boot with swapaccount=1)"
    return warned("swap", "not accounted: a cell may use it beyond its memory limit", fix)


def sysctl(key: str) -> str:
    """The value of a kernel setting; empty if this kernel has none of that name."""
    try:
        return (_SYSCTL / key.replace(".", "/", 1)).read_text().strip()
    except OSError:
        return ""
