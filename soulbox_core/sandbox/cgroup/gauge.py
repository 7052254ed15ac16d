"""What a cell uses while it runs."""

from collections.abc import Callable
from time import perf_counter

from soulbox_core.model import Sample
from soulbox_core.sandbox.cgroup.control_file import ControlFile


class Gauge:
    """What a cell uses at any moment, by descriptors of its own.

    Another thread may read it whatever becomes of the leaf meanwhile: closed, it would leave its
    descriptors' numbers to other files, and used again, its `start` to another cell.

    :param cpu_seconds: reads CPU time from its file
    :param cpu_seconds_before: what it was when the counting began
    """

    def __init__(
        self,
        memory: ControlFile,
        processes: ControlFile,
        time: ControlFile,
        cpu_seconds: Callable[[ControlFile], float],
        cpu_seconds_before: float,
    ) -> None:
        self._memory = memory
        self._processes = processes
        self._time = time
        self._cpu_seconds = cpu_seconds
        self._cpu_seconds_before = cpu_seconds_before

    def sample(self, began_at: float) -> Sample:
        """Read it. Blocks for as long as the kernel takes to add up.

        :param began_at: when the code was handed over, by `perf_counter`
        :raises CgroupError: the leaf was removed, or this is closed
        """
        memory_bytes = self._memory.number()
        processes = self._processes.number()
        cpu_seconds = self._cpu_seconds(self._time) - self._cpu_seconds_before
        return Sample(
            wall_seconds=perf_counter() - began_at,
            cpu_seconds=cpu_seconds,
            memory_bytes=memory_bytes,
            processes=processes,
        )

    def close(self) -> None:
        """Safe to call twice, and not while it is read."""
        for file in (self._memory, self._processes, self._time):
            file.close()
