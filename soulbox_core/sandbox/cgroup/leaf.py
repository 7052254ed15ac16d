"""What both cgroup backends offer: a tree per container, a leaf per cell."""

import os
from abc import ABC, abstractmethod
from contextlib import ExitStack, closing, suppress
from typing import NamedTuple, Protocol

import msgspec

from soulbox_core.errors import CgroupError
from soulbox_core.model import Limits, Value
from soulbox_core.sandbox.cgroup.control_file import ControlFile
from soulbox_core.sandbox.cgroup.gauge import Gauge

CPU_PERIOD_MICROSECONDS = 100_000
"""The kernel's default CFS period (sched-bwc.rst)."""
_LEAST_QUOTA = 1000
"""The kernel refuses a quota below one millisecond."""
RESIDUE_BYTES = 1 << 20
"""Memory still charged to an empty leaf, above which it is not used again."""


class Counters(Value):
    """What the kernel counted for a leaf since its last `start`."""

    cpu_seconds: float
    memory_peak_bytes: int
    oom_kills: int
    refused_forks: int


class Leaf(ABC):
    """The cgroup of one cell, in every hierarchy that the backend needs.

    A backend says where the files are and how they are written.
    """

    def __init__(self, directories: tuple[str, ...], meters: "Meters") -> None:
        self._directories = directories
        self._meters = meters
        self._limits: Limits | None = None
        self._peak_restarts = True
        self._cpu_seconds_before = 0.0
        self._oom_kills_before = self._refused_forks_before = 0
        self.join_descriptors = tuple(open_to_join(directory) for directory in directories)
        """Open cgroup.procs files, the leaf's own: who writes "0" to each is in.

        Opened by us, as the kernel checks the opener's right to move a process in
        (cgroup_procs_write_permission; on v2 since 5.16).
        """

    @abstractmethod
    def _limit_memory(self, memory_bytes: int, before: int | None) -> None:
        """:param before: the limit until now, None for a new leaf"""

    @abstractmethod
    def _limit_processes(self, processes: int) -> None: ...

    @abstractmethod
    def _limit_cpu(self, microseconds: int | None) -> None:
        """:param microseconds: of CPU time in each period; None is no quota"""

    @abstractmethod
    def _restart_peak(self) -> bool:
        """Have the peak of memory counted anew; False where the kernel cannot."""

    @staticmethod
    @abstractmethod
    def _cpu_seconds_in(time: ControlFile) -> float:
        """Read CPU time, counted since the leaf was made, from the file that has it."""

    def limit(self, limits: Limits) -> None:
        """Write those of memory, processes and cpus that are not set so already.

        :raises CgroupError: the kernel refuses
        """
        old = self._limits
        if old is None or old.memory_bytes != limits.memory_bytes:
            self._limit_memory(limits.memory_bytes, old.memory_bytes if old else None)
        if old is None or old.processes != limits.processes:
            self._limit_processes(limits.processes)
        if old is None or old.cpus != limits.cpus:
            self._limit_cpu(max(_LEAST_QUOTA, int(limits.cpus * CPU_PERIOD_MICROSECONDS)))
        self._limits = limits

    def unthrottle(self) -> None:
        """Lift a quota below one core, so that what was killed dies at once.

        `limit` sets it again.
        """
        if self._limits is not None and self._limits.cpus < 1:
            # Only the quota is to be written again; what the others are now still matters.
            self._limits = msgspec.structs.replace(self._limits, cpus=0.0)
            with suppress(CgroupError):  # gone with its container
                self._limit_cpu(None)

    def start(self) -> None:
        """Count from here: what a parked cell used to get ready is not the program's."""
        self._peak_restarts = self._restart_peak()
        self._oom_kills_before = self._meters.oom.field(b"oom_kill")
        self._refused_forks_before = self._meters.forks.field(b"max")
        self._cpu_seconds_before = self._cpu_seconds_in(self._meters.time)

    def counters(self) -> Counters:
        """Read what was counted since `start`."""
        return Counters(
            cpu_seconds=self.cpu_seconds(),
            memory_peak_bytes=self._meters.peak.number(),
            oom_kills=self._meters.oom.field(b"oom_kill") - self._oom_kills_before,
            refused_forks=self._meters.forks.field(b"max") - self._refused_forks_before,
        )

    def cpu_seconds(self) -> float:
        """CPU time alone since `start`: cheap enough to watch a limit with."""
        return self._cpu_seconds_in(self._meters.time) - self._cpu_seconds_before

    def gauge(self) -> Gauge:
        """Open what tells of any moment, counted from the last `start`; the caller closes it.

        :raises CgroupError: the leaf is closed, or no descriptor is to be had
        """
        meters = self._meters
        with ExitStack() as opened:
            memory, processes, time = (
                opened.enter_context(closing(file.twin()))
                for file in (meters.usage, meters.alive, meters.time)
            )
            opened.pop_all()
        return Gauge(memory, processes, time, self._cpu_seconds_in, self._cpu_seconds_before)

    def reusable(self) -> bool:
        """Whether the leaf is empty and may serve another cell.

        A leaf holds nothing but counters; making one costs more than a cell's fork does.
        """
        return (
            self._peak_restarts
            and self._meters.alive.number() == 0
            and self._meters.usage.number() <= RESIDUE_BYTES
        )

    def close(self) -> None:
        """Close its descriptors. Safe to call twice."""
        for file in self._meters:
            file.close()
        for descriptor in self.join_descriptors:
            os.close(descriptor)
        self.join_descriptors = ()

    def remove(self) -> None:
        """Remove the closed leaf.

        :raises CgroupError: a process of it lives
        """
        for directory in self._directories:
            remove_below(directory)


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


class Meters(NamedTuple):
    """The files in which the kernel counts for a leaf."""

    usage: ControlFile
    peak: ControlFile
    oom: ControlFile
    forks: ControlFile
    alive: ControlFile
    time: ControlFile


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
