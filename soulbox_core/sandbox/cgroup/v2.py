"""cgroup v2: one directory per cell, below a subtree that was delegated to the service's user.

Files and their meaning: Documentation/admin-guide/cgroup-v2.rst.
"""

import os
import time

from soulbox_core.errors import CgroupError
from soulbox_core.model import Limits
from soulbox_core.sandbox.cgroup import leaf as base

CONTROLLERS = ("memory", "pids", "cpu")
SERVICE = "svc"
_ENABLE = " ".join(f"+{controller}" for controller in CONTROLLERS)
_KILL_SECONDS = 5.0


class V2Leaf:
    """A cell's directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._limits: Limits | None = None
        base.make(directory)
        base.write(f"{directory}/memory.swap.max", "0", optional=True)
        base.write(f"{directory}/memory.oom.group", "1")
        self.join_descriptors: tuple[int, ...] = (base.open_to_join(directory),)
        self._usage = base.ControlFile(f"{directory}/memory.current")
        self._peak = _peak_file(directory)
        self._events = base.ControlFile(f"{directory}/memory.events")
        self._forks = base.ControlFile(f"{directory}/pids.events")
        self._alive = base.ControlFile(f"{directory}/pids.current")
        self._time = base.ControlFile(f"{directory}/cpu.stat")
        self._files = (self._usage, self._peak, self._events, self._forks, self._alive, self._time)
        self._peak_restarts = True
        self._oom_before = self._forks_before = self._microseconds_before = 0

    def limit(self, limits: Limits) -> None:
        old = self._limits
        if old is None or old.memory_bytes != limits.memory_bytes:
            base.write(f"{self._directory}/memory.max", str(limits.memory_bytes))
        if old is None or old.processes != limits.processes:
            base.write(f"{self._directory}/pids.max", str(limits.processes))
        if old is None or old.cpus != limits.cpus:
            quota = max(1000, int(limits.cpus * base.CPU_PERIOD_MICROSECONDS))
            base.write(f"{self._directory}/cpu.max", f"{quota} {base.CPU_PERIOD_MICROSECONDS}")
        self._limits = limits

    def start(self) -> None:
        # Since Linux 6.12 a write restarts memory.peak for this descriptor; before, it is
        # read-only, counts from the leaf's making, and a leaf can serve one cell only.
        self._peak_restarts = self._peak.write(b"reset")
        self._oom_before = self._events.field(b"oom_kill")
        self._forks_before = self._forks.field(b"max")
        self._microseconds_before = self._time.field(b"usage_usec")

    def reusable(self) -> bool:
        return (
            self._peak_restarts
            and self._alive.number() == 0
            and self._usage.number() <= base.RESIDUE_BYTES
        )

    def counters(self) -> base.Counters:
        return base.Counters(
            cpu_seconds=self.cpu_seconds(),
            memory_peak_bytes=self._peak.number(),
            oom_kills=self._events.field(b"oom_kill") - self._oom_before,
            refused_forks=self._forks.field(b"max") - self._forks_before,
        )

    def cpu_seconds(self) -> float:
        return (self._time.field(b"usage_usec") - self._microseconds_before) / 1e6

    def unthrottle(self) -> None:
        if self._limits is not None and self._limits.cpus < 1:
            quota = f"{self._directory}/cpu.max"
            value = "max"
            try:
                base.write(quota, value)
            except CgroupError:
                return  # gone with its container
            self._limits = None

    def close(self) -> None:
        base.close_all(self._files, self.join_descriptors)
        self.join_descriptors = ()

    def remove(self) -> None:
        base.remove_below(self._directory)


class V2Tree:
    """A container's directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        base.make(directory)
        base.write(f"{directory}/cgroup.subtree_control", _ENABLE)

    def adopt(self, pid: int, memory_bytes: int) -> None:
        launcher = f"{self._directory}/launcher"
        base.make(launcher)
        base.write(f"{launcher}/memory.max", str(memory_bytes))
        base.write(f"{launcher}/cgroup.procs", str(pid))

    def leaf(self, name: str) -> V2Leaf:
        return V2Leaf(f"{self._directory}/{name}")

    def remove(self) -> None:
        _kill(self._directory)
        base.remove_below(self._directory)


class V2Cgroups:
    """The service's part of a delegated subtree.

    :param root: the delegated directory; every process in it is moved to its child `svc`,
        since a cgroup with children may hold none itself ("no internal processes")
    :param instance: name of this instance's part of it
    :raises CgroupError: a controller is not delegated
    """

    version = 2

    def __init__(self, root: str, instance: str) -> None:
        _vacate(root)
        base.write(f"{root}/cgroup.subtree_control", _ENABLE)
        self._directory = f"{root}/{instance}"
        base.make(self._directory)
        base.write(f"{self._directory}/cgroup.subtree_control", _ENABLE)

    def tree(self, name: str) -> V2Tree:
        return V2Tree(f"{self._directory}/{name}")

    def sweep(self) -> int:
        names = [entry.path for entry in os.scandir(self._directory) if entry.is_dir()]
        for path in names:
            _kill(path)
            base.remove_below(path)
        return len(names)

    def remove(self) -> None:
        base.remove_below(self._directory)


def _peak_file(directory: str) -> base.ControlFile:
    path = f"{directory}/memory.peak"
    return base.ControlFile(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)


def _vacate(root: str) -> None:
    service = f"{root}/{SERVICE}"
    base.make(service)
    with open(f"{root}/cgroup.procs") as file:
        pids = file.read().split()
    for pid in pids:
        base.write(f"{service}/cgroup.procs", pid)


def _kill(directory: str) -> None:
    """Kill everything below; cgroup.kill (Linux 5.14) reaches all of it at once."""
    base.write(f"{directory}/cgroup.kill", "1")
    deadline = time.monotonic() + _KILL_SECONDS
    while pids := base.processes(directory):
        if time.monotonic() > deadline:
            raise CgroupError(f"processes {pids} in {directory} do not die")
        time.sleep(0.01)
