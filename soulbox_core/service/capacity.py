"""How much memory, and how many processes, the host has for cells. Read once, at start."""

import resource
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from soulbox_core.errors import HostError, SettingsError
from soulbox_core.service.room import Room
from soulbox_core.settings import Settings

_SHARE = 3 / 4
"""Of what there is; the rest is for the containers, their templates, and the service itself."""
_PID_MAX_LIMIT = 1 << 22
"""The most that pid_max may be (proc_sys_kernel(5))."""


def memory_for_cells(groups: Iterable[str] = (), root: Path = Path("/")) -> int:
    """Three quarters of the memory there is: the host's, or less if a cgroup has a limit.

    :param groups: directories that cells' cgroups are made in
    :param root: where /proc and /sys are looked for
    :raises HostError: the kernel does not say how much memory there is
    """
    most = [_host_memory(root)]
    for group in (*_own_groups(root, v1="memory"), *map(Path, groups)):
        most += _limits(group, ("memory.max", "memory.stat"))  # of v2, of v1
    return int(min(most) * _SHARE)


def processes_for_cells(groups: Iterable[str] = (), root: Path = Path("/")) -> int:
    """Three quarters of the processes that there may be: of all, of this user's, in a cgroup.

    The service's own cgroup of v1 counts for nothing: cells lie beside it.

    :param groups: directories that cells' cgroups are made in
    :param root: where /proc and /sys are looked for
    """
    most = [*_host_processes(root)]
    for group in (*_own_groups(root), *map(Path, groups)):
        most += _limits(group, ("pids.max",))
    return int(min(most) * _SHARE)


def room_for_runs(settings: Settings, groups: Collection[str], helped: int, least: Room) -> Room:
    """What runs may reserve together: all there is for cells, less what compile helpers may take.

    :param groups: directories that cells' cgroups are made in
    :param helped: languages that have helpers
    :param least: what one step may need that any request can lead to
    :raises SettingsError: admission.memory_bytes or admission.processes is less than that
    :raises HostError: what is left is
    """
    room = {}
    for name, for_cells in (("memory_bytes", memory_for_cells), ("processes", processes_for_cells)):
        given, needed = getattr(settings.admission, name), getattr(least, name)
        if given and given < needed:
            raise SettingsError(
                f"admission.{name} must be at least {needed}, which one step may need; raise"
                " it, or lower limits.default, limits.compile or limits.install"
            )
        helpers = helped * settings.pool.compilers * getattr(settings.limits.compile, name)
        room[name] = given or for_cells(groups) - helpers
        if room[name] < needed:
            raise HostError(
                f"compile helpers with {name} of {helpers} leave {max(room[name], 0)} for runs, and"
                f" one step may need {needed}; lower limits.compile or limits.install, or set"
                f" admission.{name}"
            )
    return Room(**room)


def _host_processes(root: Path) -> Iterator[int]:
    """proc_sys_kernel(5), and RLIMIT_NPROC: since Linux 5.14 who has another id in a user
    namespace counts for the user who made it as well (kernel/ucount.c)."""
    yield _PID_MAX_LIMIT
    for name in ("threads-max", "pid_max"):
        yield from map(int, _lines(root / "proc/sys/kernel" / name))
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if soft != resource.RLIM_INFINITY:
        yield soft


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


def _own_groups(root: Path, v1: str = "") -> Iterator[Path]:
    """This process's cgroup and those around it: of v2, and of a controller of v1.

    /proc/self/cgroup has a line `0::/path` for v2 and `4:memory:/path` for v1 (cgroups(7)).
    """
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount = "sys/fs/cgroup"
        elif v1 in controllers.split(","):
            mount = f"sys/fs/cgroup/{v1}"
        else:
            continue
        group = PurePosixPath(path)
        for ancestor in (group, *group.parents):
            yield root / mount / str(ancestor).lstrip("/")


def _limits(group: Path, files: Iterable[str]) -> Iterator[int]:
    """What a cgroup's files tell; memory.stat of v1 also tells of the cgroups around.

    No limit reads as `max`, and on v1 memory's as a number near 2^63.
    """
    for name in files:
        for line in _lines(group / name):
            text = line.removeprefix("hierarchical_memory_limit ")
            if text.isdigit():
                yield int(text)


def _lines(file: Path) -> list[str]:
    """A file's lines; none if this host does not have it."""
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
