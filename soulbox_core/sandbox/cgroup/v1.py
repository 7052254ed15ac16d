"""cgroup v1, also as the controllers' half of a hybrid host: a directory per controller.

Files and their meaning: Documentation/admin-guide/cgroup-v1/{memory,pids,cpuacct}.rst and
Documentation/scheduler/sched-bwc.rst.
"""

import os
import signal
import time
from collections.abc import Mapping

from soulbox_core.errors import CgroupError
from soulbox_core.sandbox.cgroup import leaf as base
from soulbox_core.sandbox.cgroup.control_file import ControlFile

CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
_KILL_SECONDS = 5.0
_SOCKETS = str(32 << 20)


class V1Leaf(base.Leaf):
    """A cell's directory in each hierarchy."""

    def __init__(self, directories: Mapping[str, str]) -> None:
        self._memory = directories["memory"]
        self._pids = directories["pids"]
        self._cpu = directories["cpu"]
        own = tuple(dict.fromkeys(directories.values()))
        for directory in own:
            base.make(directory)
        base.write(f"{self._memory}/memory.swappiness", "0", optional=True)
        # v1 counts socket buffers apart, and without a limit not at all.
        base.write(f"{self._memory}/memory.kmem.tcp.limit_in_bytes", _SOCKETS, optional=True)
        meters = base.Meters(
            usage=ControlFile(f"{self._memory}/memory.usage_in_bytes"),
            peak=ControlFile(f"{self._memory}/memory.max_usage_in_bytes", os.O_RDWR),
            oom=ControlFile(f"{self._memory}/memory.oom_control"),
            forks=ControlFile(f"{self._pids}/pids.events"),
            alive=ControlFile(f"{self._pids}/pids.current"),
            time=ControlFile(f"{directories['cpuacct']}/cpuacct.usage"),
        )
        super().__init__(own, meters)

    def _limit_memory(self, memory_bytes: int, before: int | None) -> None:
        """memory+swap may never be below memory, so the order depends on the direction."""
        memory = f"{self._memory}/memory.limit_in_bytes"
        both = f"{self._memory}/memory.memsw.limit_in_bytes"
        if before is None or memory_bytes < before:
            base.write(memory, str(memory_bytes))
            base.write(both, str(memory_bytes), optional=True)
        else:
            base.write(both, str(memory_bytes), optional=True)
            base.write(memory, str(memory_bytes))

    def _limit_processes(self, processes: int) -> None:
        base.write(f"{self._pids}/pids.max", str(processes))

    def _limit_cpu(self, microseconds: int | None) -> None:
        base.write(f"{self._cpu}/cpu.cfs_period_us", str(base.CPU_PERIOD_MICROSECONDS))
        quota = -1 if microseconds is None else microseconds
        base.write(f"{self._cpu}/cpu.cfs_quota_us", str(quota))

    def _restart_peak(self) -> bool:
        return self._meters.peak.write(b"0")

    @staticmethod
    def _cpu_seconds_in(time: ControlFile) -> float:
        return time.number() / 1e9


class V1Tree:
    """A container's directory in each hierarchy."""

    def __init__(self, directories: Mapping[str, str]) -> None:
        self._directories = directories
        for directory in directories.values():
            base.make(directory)

    def adopt(self, pid: int, memory_bytes: int) -> None:
        for controller, directory in self._directories.items():
            launcher = f"{directory}/launcher"
            base.make(launcher)
            if controller == "memory":
                base.write(f"{launcher}/memory.limit_in_bytes", str(memory_bytes))
            base.write(f"{launcher}/cgroup.procs", str(pid))

    def leaf(self, name: str) -> V1Leaf:
        return V1Leaf({c: f"{d}/{name}" for c, d in self._directories.items()})

    def remove(self) -> None:
        for directory in dict.fromkeys(self._directories.values()):
            _empty(directory)
            base.remove_below(directory)


class V1Cgroups:
    """The service's directory in each hierarchy.

    :param roots: controller to a writable directory; cpu and cpuacct may share one
    :param instance: name of this instance's part of it
    """

    version = 1

    def __init__(self, roots: Mapping[str, str], instance: str) -> None:
        self._directories = {c: f"{root}/{instance}" for c, root in roots.items()}
        for directory in self._directories.values():
            base.make(directory)

    def tree(self, name: str) -> V1Tree:
        return V1Tree({c: f"{d}/{name}" for c, d in self._directories.items()})

    def sweep(self) -> int:
        names = {n for d in self._directories.values() for n in _children(d)}
        for name in names:
            V1Tree({c: f"{d}/{name}" for c, d in self._directories.items()}).remove()
        return len(names)

    def remove(self) -> None:
        for directory in dict.fromkeys(self._directories.values()):
            base.remove_below(directory)


def _children(directory: str) -> list[str]:
    return [entry.name for entry in os.scandir(directory) if entry.is_dir()]


def _empty(directory: str) -> None:
    """Kill what lives below a directory.

    v1 has no cgroup.kill. A cell's program has a uid we may not signal, but its init has ours,
    and takes the rest of its PID namespace along.

    :raises CgroupError: something survived
    """
    deadline = time.monotonic() + _KILL_SECONDS
    while pids := base.processes(directory):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        if time.monotonic() > deadline:
            raise CgroupError(f"processes {pids} in {directory} do not die")
        time.sleep(0.01)
