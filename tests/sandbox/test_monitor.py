"""On leaves whose files lie in a directory of the test's own."""

import asyncio
import os
import resource
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest

from soulbox_core.errors import CgroupError
from soulbox_core.model import Limits, Sample, Step
from soulbox_core.sandbox.cgroup import Gauge, Leaf
from soulbox_core.sandbox.cgroup.v1 import CONTROLLERS, V1Leaf
from soulbox_core.sandbox.cgroup.v2 import V2Leaf
from soulbox_core.sandbox.monitor import MOST_RUNS, PERIOD_SECONDS, Monitor, Watch
from soulbox_core.sandbox.stdio import Stdio
from soulbox_core.sandbox.supervisor import Supervisor
from tests.loop import on_loop, until

STEP = Step(argv=(), entrypoint="", files=(), env={}, stdin=b"", limits=Limits())
FILES = {
    1: ("memory.usage_in_bytes", "pids.current", "cpuacct.usage"),
    2: ("memory.current", "pids.current", "cpu.stat"),
}
OTHERS = {
    1: ("memory.max_usage_in_bytes", "memory.oom_control", "pids.events"),
    2: ("memory.events", "pids.events"),
}


def make_leaf(directory: Path, version: int, kind: Callable[[str], V2Leaf] = V2Leaf) -> Leaf:
    """A leaf of either version whose files say that nothing is used."""
    for name in (*OTHERS[version], "memory.oom.group", "cgroup.procs"):
        (directory / name).write_text("")
    (directory / "memory.peak").write_text("0\n")
    use(directory, version, memory=0, processes=0, cpu_microseconds=0)
    if version == 2:
        return kind(str(directory))
    return V1Leaf(dict.fromkeys(CONTROLLERS, str(directory)))


def use(
    directory: Path, version: int, *, memory: int, processes: int, cpu_microseconds: int
) -> None:
    """Have the files say this. Each is written at once, and never shorter, as it may be read."""
    if version == 2:
        time = f"user_usec 7\nusage_usec {cpu_microseconds:012}\nsystem_usec 7\n"
    else:
        time = f"{cpu_microseconds * 1000:015}\n"
    texts = (f"{memory:015}\n", f"{processes:09}\n", time)
    for name, text in zip(FILES[version], texts, strict=True):
        file = os.open(directory / name, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(file, text.encode(), 0)
        os.close(file)


class Gate(Gauge):
    """Another gauge, behind a gate: who reads it waits until that is open."""

    def __init__(self, inner: Gauge) -> None:
        self.inner = inner
        self.open = threading.Event()
        self.begun = 0
        self.closed = False
        self.gone = False

    def sample(self, began_at: float) -> Sample:
        assert not self.closed
        self.begun += 1
        assert self.open.wait(30)
        if self.gone:
            raise CgroupError("no such device")
        return self.inner.sample(began_at)

    def close(self) -> None:
        self.closed = True
        self.inner.close()


class SlowLeaf(V2Leaf):
    """A leaf whose gauges a test can hold up."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.gates: list[Gate] = []

    def gauge(self) -> Gauge:
        self.gates.append(Gate(super().gauge()))
        return self.gates[-1]


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowLeaf]:
    leaf = make_leaf(tmp_path, 2, SlowLeaf)
    assert isinstance(leaf, SlowLeaf)
    yield leaf
    for gate in leaf.gates:
        gate.open.set()
    leaf.close()


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("monitor")}


async def periods(count: float) -> None:
    """Let so many looks become due."""
    await asyncio.sleep(count * PERIOD_SECONDS)


@pytest.mark.parametrize("version", [1, 2])
def test_a_gauge_counts_from_the_leaf_s_start(tmp_path: Path, version: int) -> None:
    leaf = make_leaf(tmp_path, version)
    use(tmp_path, version, memory=5, processes=1, cpu_microseconds=1_000_000)
    leaf.start()
    gauge = leaf.gauge()
    use(tmp_path, version, memory=4096, processes=3, cpu_microseconds=3_500_000)
    sample = gauge.sample(perf_counter() - 60)
    assert (sample.memory_bytes, sample.processes) == (4096, 3)
    assert sample.cpu_seconds == pytest.approx(2.5)
    assert 60 <= sample.wall_seconds < 120
    gauge.close()
    leaf.close()


@pytest.mark.parametrize("version", [1, 2])
def test_a_gauge_is_closed_and_reads_nothing_else_then(tmp_path: Path, version: int) -> None:
    leaf = make_leaf(tmp_path, version)
    before = descriptors()
    gauge = leaf.gauge()
    assert len(descriptors()) == len(before) + 3
    gauge.close()
    gauge.close()
    assert descriptors() == before
    with pytest.raises(CgroupError):
        gauge.sample(0.0)
    leaf.close()


@pytest.mark.parametrize("version", [1, 2])
def test_a_gauge_reads_its_own_leaf_when_that_is_closed_and_started_again(
    tmp_path: Path, version: int
) -> None:
    leaf = make_leaf(tmp_path, version)
    gauge = leaf.gauge()
    use(tmp_path, version, memory=4096, processes=3, cpu_microseconds=2_000_000)
    leaf.start()
    leaf.close()
    # The leaf's descriptors have numbers that are free again.
    others = [os.open("/dev/zero", os.O_RDONLY) for _ in range(16)]
    sample = gauge.sample(0.0)
    assert (sample.memory_bytes, sample.processes, sample.cpu_seconds) == (4096, 3, 2.0)
    gauge.close()
    for other in others:
        os.close(other)


def test_a_closed_leaf_gives_no_gauge_and_leaves_no_descriptor(tmp_path: Path) -> None:
    leaf = make_leaf(tmp_path, 2)
    leaf.close()
    before = descriptors()
    with pytest.raises(CgroupError):
        leaf.gauge()
    assert descriptors() == before


def test_a_gauge_that_cannot_be_opened_whole_leaves_nothing_open(tmp_path: Path) -> None:
    leaf = make_leaf(tmp_path, 2)
    before = descriptors()
    free = [os.dup(0), os.dup(0)]
    for descriptor in free:
        os.close(descriptor)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(free) + 1, hard))
    try:
        with pytest.raises(CgroupError, match="Too many open files"):
            leaf.gauge()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert descriptors() == before
    leaf.close()


@pytest.mark.parametrize("version", [1, 2])
@on_loop
async def test_a_run_is_told_of_again_and_again(tmp_path: Path, version: int) -> None:
    leaf = make_leaf(tmp_path, version)
    leaf.start()
    told: list[Sample] = []

    def watcher(sample: Sample) -> None:
        told.append(sample)
        count = len(told)
        use(tmp_path, version, memory=count, processes=count + 1, cpu_microseconds=count * 10**6)

    watch = Monitor().watch(leaf, perf_counter(), watcher)
    await until(lambda: len(told) == 3)
    watch.stop()
    assert [sample.memory_bytes for sample in told] == [0, 1, 2]
    assert [sample.processes for sample in told] == [0, 2, 3]
    assert [sample.cpu_seconds for sample in told] == [0.0, 1.0, 2.0]
    walls = [sample.wall_seconds for sample in told]
    assert walls == sorted(set(walls))
    leaf.close()


@on_loop
async def test_a_stopped_watch_tells_nothing_more(tmp_path: Path) -> None:
    leaf = make_leaf(tmp_path, 2)
    before = descriptors()
    told: list[Sample] = []
    monitor = Monitor()
    watch = monitor.watch(leaf, perf_counter(), told.append)
    await until(lambda: told)
    watch.stop()
    watch.stop()
    count = len(told)
    await periods(2.5)
    assert len(told) == count
    assert descriptors() == before
    leaf.close()


@on_loop
async def test_a_read_that_is_under_way_at_the_end_is_thrown_away(slow: SlowLeaf) -> None:
    told: list[Sample] = []
    watch = Monitor().watch(slow, perf_counter(), told.append)
    await until(lambda: slow.gates and slow.gates[0].begun)
    watch.stop()
    (gate,) = slow.gates
    assert not gate.closed  # it is still read
    gate.open.set()
    await until(lambda: gate.closed)
    await periods(1.5)
    assert told == []


@on_loop
async def test_what_the_leaf_s_next_cell_uses_is_not_told_to_the_last_one(
    slow: SlowLeaf, tmp_path: Path
) -> None:
    first: list[Sample] = []
    second: list[Sample] = []
    monitor = Monitor()
    slow.start()
    watch = monitor.watch(slow, perf_counter(), first.append)
    await until(lambda: slow.gates and slow.gates[0].begun)
    watch.stop()
    use(tmp_path, 2, memory=4096, processes=1, cpu_microseconds=1_000_000)
    slow.start()
    watch = monitor.watch(slow, perf_counter(), second.append)
    await until(lambda: len(slow.gates) == 2)
    for gate in slow.gates:
        gate.open.set()
    await until(lambda: second)
    watch.stop()
    assert first == []
    assert {(sample.memory_bytes, sample.cpu_seconds) for sample in second} == {(4096, 0.0)}


def exits(supervisor: Supervisor) -> None:
    supervisor.exited(0, None)


def dies(supervisor: Supervisor) -> None:
    supervisor.died("its init was killed")


def is_given_up(supervisor: Supervisor) -> None:
    supervisor.close()


@pytest.mark.parametrize("end", [exits, dies, is_given_up])
@on_loop
async def test_the_end_of_a_step_is_the_end_of_its_watch(
    slow: SlowLeaf, end: Callable[[Supervisor], None]
) -> None:
    """At once, since the leaf may be given back in the same turn of the loop."""
    told: list[Sample] = []
    stdio = Stdio(None)
    exit_reader, exit_writer = os.pipe()
    supervisor = Supervisor(
        STEP,
        lambda _stream, _data: None,
        slow,
        stdio,
        last_call=lambda: None,
        kill=lambda: None,
        exit_reader=exit_reader,
        scratch=os.open("/dev/null", os.O_RDONLY),
    )
    supervisor.watch(Monitor(), told.append)
    outcome = asyncio.create_task(supervisor.outcome(None))
    await until(lambda: slow.gates and slow.gates[0].begun)
    end(supervisor)
    (gate,) = slow.gates
    gate.open.set()
    await until(lambda: gate.closed)
    await periods(1.5)
    assert (gate.begun, told) == (1, [])
    supervisor.close()
    outcome.cancel()
    await asyncio.wait((outcome,))
    if not outcome.cancelled():
        outcome.exception()
    os.close(exit_writer)


@on_loop
async def test_looks_that_were_missed_are_skipped_and_the_loop_goes_on(slow: SlowLeaf) -> None:
    told: list[Sample] = []
    watch = Monitor().watch(slow, perf_counter(), told.append)
    await until(lambda: slow.gates and slow.gates[0].begun)
    (gate,) = slow.gates
    await periods(3.5)
    assert gate.begun == 1
    gate.open.set()
    await until(lambda: told)
    assert (gate.begun, len(told)) == (1, 1)
    await until(lambda: len(told) == 2)
    watch.stop()
    # The next look is when it would have been due, had none been missed.
    assert round(told[1].wall_seconds / PERIOD_SECONDS) >= 5


@on_loop
async def test_a_leaf_that_is_gone_ends_the_telling_and_is_no_error(slow: SlowLeaf) -> None:
    told: list[Sample] = []
    watch = Monitor().watch(slow, perf_counter(), told.append)
    await until(lambda: slow.gates)
    (gate,) = slow.gates
    gate.gone = True
    gate.open.set()
    await periods(2.5)
    assert (gate.begun, told) == (1, [])
    watch.stop()
    assert gate.closed


@on_loop
async def test_a_leaf_that_was_closed_before_the_first_look_is_no_error(tmp_path: Path) -> None:
    leaf = make_leaf(tmp_path, 2)
    told: list[Sample] = []
    watch = Monitor().watch(leaf, perf_counter(), told.append)
    leaf.close()
    await periods(2.5)
    watch.stop()
    assert told == []


@on_loop
async def test_a_short_run_costs_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    leaf = make_leaf(tmp_path, 2)
    before = threads()
    open_before = descriptors()
    told: list[Sample] = []
    watch = Monitor().watch(leaf, perf_counter(), told.append)
    assert descriptors() == open_before
    watch.stop()
    await periods(1.5)
    assert told == []
    assert threads() <= before
    leaf.close()


@on_loop
async def test_one_thread_reads_for_all(tmp_path: Path) -> None:
    before = threads()
    leaf = make_leaf(tmp_path, 2)
    told: list[set[int]] = [set() for _ in range(8)]
    monitor = Monitor()
    watches = [
        monitor.watch(leaf, perf_counter(), lambda _, seen=seen: seen.add(threading.get_ident()))  # type: ignore[misc]  # a lambda's default has no type
        for seen in told
    ]
    await until(lambda: all(told))
    assert len(threads() - before) == 1
    assert set.union(*told) == {threading.get_ident()}
    for watch in watches:
        watch.stop()
    leaf.close()


@on_loop
async def test_of_very_many_each_is_looked_at_less_often(tmp_path: Path) -> None:
    leaf = make_leaf(tmp_path, 2)
    monitor = Monitor()

    def watched(count: int) -> list[Watch]:
        return [monitor.watch(leaf, perf_counter(), lambda _: None) for _ in range(count)]

    watches = watched(2 * MOST_RUNS + 1)
    assert monitor.period_seconds == pytest.approx(3 * PERIOD_SECONDS)
    watches.pop().stop()
    assert monitor.period_seconds == pytest.approx(2 * PERIOD_SECONDS)
    for watch in watches:
        watch.stop()
        watch.stop()
    assert monitor.period_seconds == pytest.approx(PERIOD_SECONDS)
    watches = watched(MOST_RUNS + 1)
    assert monitor.period_seconds == pytest.approx(2 * PERIOD_SECONDS)
    for watch in watches:
        watch.stop()
    leaf.close()
