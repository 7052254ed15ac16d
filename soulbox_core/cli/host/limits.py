"""What enforces limits: cgroups and seccomp."""

import ctypes
from pathlib import Path

from soulbox_core.cli.host.finding import Finding, failed, passed
from soulbox_core.errors import HostError
from soulbox_core.sandbox import cgroup, seccomp_profile
from soulbox_core.sandbox.libseccomp import LIBRARY
from soulbox_core.settings import Settings


def cgroups(settings: Settings) -> Finding:
    """Directories in which the service may make cgroups, with every controller."""
    try:
        roots = cgroup.find(settings.cgroup.roots)
    except HostError as error:
        return failed("cgroups", str(error), "scripts/soulbox check (it prepares them)")
    directories = ", ".join(sorted(set(roots.directories.values())))
    return passed("cgroups", f"v{roots.version}: {directories}")


def seccomp(settings: Settings) -> Finding:
    """The profile to start from, and the library that compiles it."""
    profile = settings.podman.seccomp_profile
    try:
        file = seccomp_profile.find(Path(profile) if profile else None)
        seccomp_profile.read(file)
    except HostError as error:
        return failed("seccomp", str(error), "apt-get install golang-github-containers-common")
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return failed("seccomp", f"no {LIBRARY}", "apt-get install libseccomp2")
    return passed("seccomp", f"{file}, {LIBRARY}")
