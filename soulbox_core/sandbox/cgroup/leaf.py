"""What both cgroup backends offer: a tree per container, a leaf per cell."""

import os
from collections.abc import Iterable
from typing import Protocol

from soulbox_core.errors import CgroupError
from soulbox_core.model import Limits, Value

CPU_PERIOD_MICROSECONDS = 100_000
"""The kernel's default CFS period (sched-bwc.rst)."""
RESIDUE_BYTES = 1 << 20
"""Memory still charged to an empty leaf, above which it is not used again."""


class Counters(Value):
    """What the kernel counted for a leaf since its last `start`."""

    cpu_seconds: float
    memory_peak_bytes: int
    oom_kills: int
    refused_forks: int


class Leaf(Protocol):
    """The cgroup of one cell, in every hierarchy that the backend needs."""

    join_descriptors: tuple[int, ...]
    """Open cgroup.procs files, the leaf's own: who writes "0" to each is in.

    Opened by us, as the kernel checks the opener's right to move a process in
    (cgroup_procs_write_permission; on v2 since 5.16).
    """

    def limit(self, limits: Limits) -> None:
        """Write those of memory, processes and cpus that are not set so already."""

    def start(self) -> None:
        """Count from here: what a parked cell used to get ready is not the program's."""

    def reusable(self) -> bool:
        """Whether the leaf is empty and may serve another cell.

        A leaf holds nothing but counters; making one costs more than a cell's fork does.
        """

    def counters(self) -> Counters:
        """Read what was counted since `start`."""

    def cpu_seconds(self) -> float:
        """CPU time alone since `start`: cheap enough to watch a limit with."""

    def unthrottle(self) -> None:
        """Lift the CPU quota, so that what was killed dies at once; `limit` sets it again."""

    def close(self) -> None:
        """Close its descriptors."""

    def remove(self) -> None:
        """Remove the closed leaf. All of its processes must be dead."""


class Tree(Protocol):
    """The cgroup of one container: its launcher and templates, and its cells' leaves."""

    def adopt(self, pid: int, memory_bytes: int) -> None:
        """Move the container's first process into a cgroup with a memory limit of its own."""

    def leaf(self, name: str) -> Leaf:
        """Make a leaf for a cell."""

    def remove(self) -> None:
        """Kill what is left in the tree and remove it, leaves included."""


class Cgroups(Protocol):
    """The place in the host's hierarchy that belongs to this service."""

    version: int

    def tree(self, name: str) -> Tree:
        """Make the tree of one container."""

    def sweep(self) -> int:
        """Remove every tree that an earlier life of this instance left; return how many."""

    def remove(self) -> None:
        """Remove the instance's part of the hierarchy, once its trees are gone."""


class ControlFile:
    """An open cgroup file, read again and again from its start.

    :raises CgroupError: when the kernel refuses
    """

    def __init__(self, path: str, flags: int = os.O_RDONLY) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, flags | os.O_CLOEXEC)
        except OSError as error:
            raise CgroupError(f"cannot open {path}: {error.strerror}") from error

    def read(self) -> bytes:
        try:
            return os.pread(self._descriptor, 4096, 0)
        except OSError as error:
            raise CgroupError(f"cannot read {self._path}: {error.strerror}") from error

    def write(self, value: bytes) -> bool:
        """Return whether the kernel took the value."""
        try:
            os.pwrite(self._descriptor, value, 0)
        except OSError:
            return False
        return True

    def number(self) -> int:
        return int(self.read())

    def field(self, name: bytes) -> int:
        """The value of a `name value` line; 0 where this kernel has no such line."""
        for line in self.read().splitlines():
            key, _, value = line.partition(b" ")
            if key == name:
                return int(value)
        return 0

    def close(self) -> None:
        """Safe to call twice; a read after it fails."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def make(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise CgroupError(f"cannot make cgroup {path}: {error.strerror}") from error


def write(path: str, value: str, *, optional: bool = False) -> None:
    """Write a control file. `optional` names files that some kernels lack; nothing else may fail.

    :raises CgroupError: when the kernel refuses
    """
    try:
        with open(path, "w") as file:
            file.write(value)
    except FileNotFoundError as error:
        if not optional:
            raise CgroupError(f"no {path}: its controller is not enabled there") from error
    except OSError as error:
        raise CgroupError(f"cannot write {value!r} to {path}: {error.strerror}") from error


def remove_below(path: str) -> None:
    """Remove a cgroup directory and those in it, deepest first.

    :raises CgroupError: a process lives in one of them
    """
    for directory, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CgroupError(f"cannot remove cgroup {directory}: {error.strerror}") from error


def open_to_join(path: str) -> int:
    try:
        return os.open(f"{path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CgroupError(f"cannot open {path}/cgroup.procs: {error.strerror}") from error


def close_all(files: Iterable[ControlFile], descriptors: Iterable[int]) -> None:
    for file in files:
        file.close()
    for descriptor in descriptors:
        os.close(descriptor)


def processes(path: str) -> list[int]:
    """Pids of a cgroup and those below it; empty if it is gone."""
    found = []
    for directory, _, _ in os.walk(path):
        try:
            with open(f"{directory}/cgroup.procs") as file:
                found += [int(line) for line in file]
        except OSError:
            continue
    return found
