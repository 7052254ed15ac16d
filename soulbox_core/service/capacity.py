"""How much memory the host has for cells. Read once, at start."""

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from soulbox_core.errors import HostError, SettingsError
from soulbox_core.settings import Settings

_SHARE = 3 / 4
"""Of the memory; the rest is for the containers, their templates, and the service itself."""


def memory_for_cells(cgroups: Iterable[str] = (), root: Path = Path("/")) -> int:
    """Three quarters of the memory there is: the host's, or less if a cgroup has a limit.

    :param cgroups: directories that cells' cgroups are made in, if they are not this process's own
    :param root: where /proc and /sys are looked for
    :raises HostError: the kernel does not say how much memory there is
    """
    limits = (*_own_limits(root), *(limit for group in cgroups for limit in _limits(Path(group))))
    return int(min([_host_memory(root), *limits]) * _SHARE)


def memory_for_runs(settings: Settings, helped: int, least: int) -> int:
    """What runs may reserve together: all there is for cells, less what compile helpers may use.

    :param helped: languages that have helpers
    :param least: what one step may need that any request can lead to
    :raises SettingsError: admission.memory_bytes is less than that
    :raises HostError: what is left is
    """
    if settings.admission.memory_bytes:
        if settings.admission.memory_bytes < least:
            raise SettingsError(
                f"admission.memory_bytes must be at least {least}, which one step may need; raise"
                " it, or lower limits.default, limits.compile or limits.install"
            )
        return settings.admission.memory_bytes
    helpers = helped * settings.pool.compilers * settings.limits.compile.memory_bytes
    left = memory_for_cells(settings.cgroup.roots) - helpers
    if left < least:
        raise HostError(
            f"{helpers} bytes for compile helpers leave {max(left, 0)} for runs, and one step may"
            f" need {least}; lower limits.compile or limits.install, or set admission.memory_bytes"
        )
    return left


def _host_memory(root: Path) -> int:
    """proc_meminfo(5): `MemTotal:  24736524 kB`."""
    file = root / "proc/meminfo"
    try:
        for line in file.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "MemTotal":
                return int(value.split()[0]) * 1024
    except (OSError, ValueError, IndexError) as error:
        raise HostError(f"{file}: {error}; set admission.memory_bytes") from None
    raise HostError(f"{file} has no MemTotal; set admission.memory_bytes")


def _own_limits(root: Path) -> Iterator[int]:
    """The memory limits of this process's cgroup and those around it, of either version.

    /proc/self/cgroup has a line `0::/path` for v2 and `4:memory:/path` for v1 (cgroups(7)).
    """
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount = "sys/fs/cgroup"
        elif "memory" in controllers.split(","):
            mount = "sys/fs/cgroup/memory"
        else:
            continue
        group = PurePosixPath(path)
        for ancestor in (group, *group.parents):
            yield from _limits(root / mount / str(ancestor).lstrip("/"))


def _limits(group: Path) -> Iterator[int]:
    """The limits that one cgroup's files tell: of v2, and of v1 with those of the cgroups around.

    No limit reads as `max` on v2 and as a number near 2^63 on v1.
    """
    for line in (*_lines(group / "memory.max"), *_lines(group / "memory.stat")):
        text = line.removeprefix("hierarchical_memory_limit ")
        if text.isdigit():
            yield int(text)


def _lines(file: Path) -> list[str]:
    """A file's lines; none if this host does not have it."""
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
