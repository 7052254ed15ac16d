from pathlib import Path

import pytest

from soulbox_core.errors import HostError, SettingsError
from soulbox_core.service.capacity import memory_for_cells, memory_for_runs
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


def test_this_host_has_memory() -> None:
    assert memory_for_cells() > 0


@pytest.mark.parametrize("meminfo", ["", "MemTotal:\n", "MemTotal: much kB\n"])
def test_a_host_that_does_not_say_is_an_error_that_tells_what_to_set(
    tmp_path: Path, meminfo: str
) -> None:
    with pytest.raises(HostError, match=r"set admission\.memory_bytes"):
        memory_for_cells(root=host(tmp_path, {"proc/meminfo": meminfo}))


def test_runs_get_what_helpers_leave() -> None:
    compiling = Settings().limits.compile.memory_bytes
    assert memory_for_runs(Settings(), 0, 1) - memory_for_runs(Settings(), 1, 1) == compiling


def test_what_the_operator_sets_is_what_runs_get() -> None:
    set_to = Settings(admission=Admission(memory_bytes=1 << 30))
    assert memory_for_runs(set_to, 3, 1 << 30) == 1 << 30


def test_memory_in_which_some_step_could_never_run_stops_the_start() -> None:
    set_to = Settings(admission=Admission(memory_bytes=1 << 30))
    with pytest.raises(SettingsError, match=r"admission\.memory_bytes must be at least 1073741825"):
        memory_for_runs(set_to, 0, (1 << 30) + 1)
    with pytest.raises(HostError, match="one step may need"):
        memory_for_runs(Settings(), 0, 1 << 60)
