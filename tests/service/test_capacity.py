import resource
from pathlib import Path

import pytest

from soulbox_core.errors import HostError, SettingsError
from soulbox_core.model import Limits
from soulbox_core.service.capacity import memory_for_cells, processes_for_cells, room_for_runs
from soulbox_core.service.room import Room, room_of
from soulbox_core.settings import Admission, Settings

KIB = 1024
MEMINFO = f"MemFree:  1 kB\nMemTotal:       {800} kB\n"


def host(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V2_OWN = {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": f"{400 * KIB}\n"}
V2_PARENT = {
    "proc/self/cgroup": "0::/a/b\n",
    "sys/fs/cgroup/a/b/memory.max": "max\n",
    "sys/fs/cgroup/a/memory.max": f"{200 * KIB}\n",
}
V2_NAMESPACED = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": f"{400 * KIB}\n"}
V1 = {
    "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/a\n0::/\n",
    "sys/fs/cgroup/memory/memory.stat": f"cache 1\nhierarchical_memory_limit {2**63 - 4096}\n",
    "sys/fs/cgroup/memory/a/memory.stat": f"cache 1\nhierarchical_memory_limit {100 * KIB}\n",
}


@pytest.mark.parametrize(
    ("files", "kib"), [({}, 800), (V2_OWN, 400), (V2_PARENT, 200), (V2_NAMESPACED, 400), (V1, 100)]
)
def test_three_quarters_of_the_least_that_applies(
    tmp_path: Path, files: dict[str, str], kib: int
) -> None:
    root = host(tmp_path, {"proc/meminfo": MEMINFO} | files)
    assert memory_for_cells(root=root) == kib * KIB * 3 // 4


@pytest.mark.parametrize(
    "given",
    [
        {"cells/memory.max": f"{300 * KIB}\n"},
        {"cells/memory.stat": f"rss 1\nhierarchical_memory_limit {300 * KIB}\n"},
    ],
)
def test_the_limit_of_the_cgroups_that_cells_are_made_in_counts_too(
    tmp_path: Path, given: dict[str, str]
) -> None:
    root = host(tmp_path, {"proc/meminfo": MEMINFO} | V2_OWN | given)
    cgroups = (str(tmp_path / "cells"), str(tmp_path / "pids"))
    assert memory_for_cells(cgroups, root) == 300 * KIB * 3 // 4


PROCESSES = {"proc/meminfo": MEMINFO, "proc/sys/kernel/threads-max": "800\n"}
PIDS_V2 = {"proc/self/cgroup": "0::/a/svc\n", "sys/fs/cgroup/a/pids.max": "400\n"}
PIDS_V1 = {"proc/self/cgroup": "4:pids:/a\n", "sys/fs/cgroup/pids/a/pids.max": "400\n"}


@pytest.mark.parametrize(
    ("files", "cgroups", "processes"),
    [
        ({}, (), 800),
        ({"proc/sys/kernel/pid_max": "400\n"}, (), 400),
        (PIDS_V2, (), 400),
        (PIDS_V2 | {"sys/fs/cgroup/a/svc/pids.max": "max\n"}, (), 400),
        (PIDS_V1, (), 800),  # cells are elsewhere
        (PIDS_V1 | {"cells/pids.max": "200\n"}, ("cells",), 200),
    ],
)
def test_three_quarters_of_the_processes_that_there_may_be(
    tmp_path: Path, files: dict[str, str], cgroups: tuple[str, ...], processes: int
) -> None:
    root = host(tmp_path, PROCESSES | files)
    groups = [str(tmp_path / group) for group in cgroups]
    assert processes_for_cells(groups, root) == processes * 3 // 4


def test_the_services_own_limit_of_processes_is_its_cells_too(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (400, before[1]))
    try:
        assert processes_for_cells(root=host(tmp_path, PROCESSES)) == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, before)


def test_this_host_has_room() -> None:
    one = room_of(Limits())
    assert one.fits(room_for_runs(Settings(), (), 0, one))


@pytest.mark.parametrize("meminfo", ["", "MemTotal:\n", "MemTotal: much kB\n"])
def test_a_host_that_does_not_say_is_an_error_that_tells_what_to_set(
    tmp_path: Path, meminfo: str
) -> None:
    with pytest.raises(HostError, match=r"set admission\.memory_bytes"):
        memory_for_cells(root=host(tmp_path, {"proc/meminfo": meminfo}))


LEAST = Room(memory_bytes=1, processes=1)


def test_runs_get_what_helpers_leave() -> None:
    compiling = Settings().limits.compile
    taken = room_for_runs(Settings(), (), 0, LEAST) - room_for_runs(Settings(), (), 1, LEAST)
    assert taken == Room(memory_bytes=compiling.memory_bytes, processes=compiling.processes)


def test_what_the_operator_sets_is_what_runs_get() -> None:
    given = Room(memory_bytes=1 << 30, processes=100)
    set_to = Settings(admission=Admission(memory_bytes=1 << 30, processes=100))
    assert room_for_runs(set_to, (), 3, given) == given


@pytest.mark.parametrize("name", ["memory_bytes", "processes"])
def test_room_in_which_some_step_could_never_run_stops_the_start(name: str) -> None:
    set_to = Settings(admission=Admission(**{name: 1000}))
    with pytest.raises(SettingsError, match=rf"admission\.{name} must be at least 1001"):
        room_for_runs(set_to, (), 0, Room(**{name: 1001}))
    with pytest.raises(HostError, match=f"one step may need .* set admission.{name}"):
        room_for_runs(Settings(), (), 0, Room(**{name: 1 << 60}))
