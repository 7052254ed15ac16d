"""cgroup v2: one directory per cell, below a subtree that was delegated to the service's user.

Files and their meaning: Documentation/admin-guide/cgroup-v2.rst.
"""

import os
import time

from soulbox_core.errors import CgroupError
from soulbox_core.sandbox.cgroup import leaf as base
from soulbox_core.sandbox.cgroup.control_file import ControlFile

CONTROLLERS = ("memory", "pids", "cpu")
SERVICE = "svc"
_ENABLE = " ".join(f"+{controller}" for controller in CONTROLLERS)
_KILL_SECONDS = 5.0


class V2Leaf(base.Leaf):
    """A cell's directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        base.make(directory)
        base.write(f"{directory}/memory.swap.max", "0", optional=True)
        base.write(f"{directory}/memory.oom.group", "1")
        meters = base.Meters(
            usage=ControlFile(f"{directory}/memory.current"),
            peak=_peak_file(directory),
            oom=ControlFile(f"{directory}/memory.events"),
            forks=ControlFile(f"{directory}/pids.events"),
            alive=ControlFile(f"{directory}/pids.current"),
            time=ControlFile(f"{directory}/cpu.stat"),
        )
        super().__init__((directory,), meters)

    def _limit_memory(self, memory_bytes: int, before: int | None) -> None:
        base.write(f"{self._directory}/memory.max", str(memory_bytes))

    def _limit_processes(self, processes: int) -> None:
        base.write(f"{self._directory}/pids.max", str(processes))

    def _limit_cpu(self, microseconds: int | None) -> None:
        quota = "max" if microseconds is None else microseconds
        base.write(f"{self._directory}/cpu.max", f"{quota} {base.CPU_PERIOD_MICROSECONDS}")

    def _restart_peak(self) -> bool:
        """Since Linux 6.12 a write restarts memory.peak for this descriptor.

        Before, it is read-only and counts from the leaf's making, and a leaf serves one cell.
        """
        return self._meters.peak.write(b"reset")

    @staticmethod
    def _cpu_seconds_in(time: ControlFile) -> float:
        return time.field(b"usage_usec") / 1e6


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


def _peak_file(directory: str) -> ControlFile:
    path = f"{directory}/memory.peak"
    return ControlFile(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)


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
