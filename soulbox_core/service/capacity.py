"""How much memory, and how many processes, the host has for cells. Read once, at start."""

import resource
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from soulbox_core.errors import HostError, SettingsError
from soulbox_core.service.room import Room
from soulbox_core.settings import Settings

_SHARE = 3 / 4
"""Of what there is; the rest is for the containers, their templates, and the service itself."""
_MEMORY = ("memory.max", "memory.stat")
"""A cgroup's files that tell how much it may have: of v2 and of v1."""
_PROCESSES = ("pids.max",)
_PID_MAX_LIMIT = 1 << 22
"""The most that pid_max may be (proc_sys_kernel(5))."""


def room_for_cells(cgroups: Iterable[str] = (), root: Path = Path("/")) -> Room:
    """Three quarters of what there is: the host's, or less if a cgroup has a limit.

    :param cgroups: directories that cells' cgroups are made in, if they are not this process's own
    :param root: where /proc and /sys are looked for
    :raises HostError: the kernel does not say how much memory there is
    """
    theirs = [Path(group) for group in cgroups]
    memory = [_host_memory(root)]
    processes = [*_host_processes(root)]
    for group in (*_own_groups(root, v1="memory"), *theirs):
        memory += _limits(group, _MEMORY)
    # On v1 cells lie beside the service's own cgroup, which is made for a handful of processes.
    for group in (*_own_groups(root), *theirs):
        processes += _limits(group, _PROCESSES)
    return Room(memory_bytes=int(min(memory) * _SHARE), processes=int(min(processes) * _SHARE))


def room_for_runs(settings: Settings, helped: int, least: Room) -> Room:
    """What runs may reserve together: all there is for cells, less what compile helpers may take.

    :param helped: languages that have helpers
    :param least: what one step may need that any request can lead to
    :raises SettingsError: admission.memory_bytes or admission.processes is less than that
    :raises HostError: what is left is
    """
    cells = room_for_cells(settings.cgroup.roots)
    helpers = helped * settings.pool.compilers
    return Room(
        **{
            name: _for_runs(
                name,
                getattr(settings.admission, name),
                getattr(cells, name),
                helpers * getattr(settings.limits.compile, name),
                getattr(least, name),
            )
            for name in Room.__struct_fields__
        }
    )


def _for_runs(name: str, given: int, cells: int, helpers: int, least: int) -> int:
    if given:
        if given < least:
            raise SettingsError(
                f"admission.{name} must be at least {least}, which one step may need; raise"
                " it, or lower limits.default, limits.compile or limits.install"
            )
        return given
    left = cells - helpers
    if left < least:
        raise HostError(
            f"compile helpers with {name} of {helpers} leave {max(left, 0)} for runs, and one step"
            f" may need {least}; lower limits.compile or limits.install, or set admission.{name}"
        )
    return left


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
