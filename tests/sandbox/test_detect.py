"""Finding the cgroup roots, on made-up hosts in a directory."""

from pathlib import Path

import pytest

from soulbox_core.errors import HostError
from soulbox_core.sandbox.cgroup.detect import find
from soulbox_core.sandbox.cgroup.v1 import CONTROLLERS


def v1_host(root: Path, controllers: tuple[str, ...] = CONTROLLERS) -> Path:
    lines = []
    for number, controller in enumerate(controllers):
        (root / controller / "soulbox").mkdir(parents=True)
        lines.append(
            f"{number} 1 0:{number} / {root / controller} rw - cgroup cgroup rw,{controller}"
        )
    lines.append(f"99 1 0:99 / {root / 'unified'} rw - cgroup2 cgroup2 rw")
    mounts = root / "mountinfo"
    mounts.write_text("\n".join(lines))
    return mounts


def v2_host(root: Path, controllers: str = "cpuset cpu io memory pids") -> tuple[Path, Path]:
    own = root / "mine"
    own.mkdir()
    (own / "cgroup.procs").touch()
    (own / "cgroup.subtree_control").touch()
    (own / "cgroup.controllers").write_text(controllers)
    mounts = root / "mountinfo"
    mounts.write_text(f"1 0 0:1 / {root} rw - cgroup2 cgroup2 rw,nsdelegate")
    return mounts, root / "cgroup"


def test_a_hybrid_host_counts_as_v1(tmp_path: Path) -> None:
    roots = find(mounts=v1_host(tmp_path))
    assert roots.version == 1
    assert roots.directories == {c: f"{tmp_path}/{c}/soulbox" for c in CONTROLLERS}


def test_controllers_mounted_together_share_a_directory(tmp_path: Path) -> None:
    for name in ("memory", "pids", "cpu,cpuacct"):
        (tmp_path / name / "soulbox").mkdir(parents=True)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "\n".join(
            f"1 1 0:1 / {tmp_path / name} rw - cgroup cgroup rw,{name}"
            for name in ("memory", "pids", "cpu,cpuacct")
        )
    )
    directories = find(mounts=mounts).directories
    assert directories["cpu"] == directories["cpuacct"] == f"{tmp_path}/cpu,cpuacct/soulbox"


@pytest.mark.parametrize("missing", CONTROLLERS)
def test_a_missing_v1_controller_is_named(tmp_path: Path, missing: str) -> None:
    mounts = v1_host(tmp_path, tuple(c for c in CONTROLLERS if c != missing))
    with pytest.raises(HostError, match=f"lacks the .*{missing}"):
        find(mounts=mounts)


def test_a_v1_directory_that_was_not_prepared_names_the_fix(tmp_path: Path) -> None:
    mounts = v1_host(tmp_path)
    (tmp_path / "pids" / "soulbox").rmdir()
    with pytest.raises(HostError, match="pids/soulbox is not writable: run scripts/serve"):
        find(mounts=mounts)


@pytest.mark.parametrize("path", ["/mine", "/mine/svc"])
def test_a_v2_host_uses_its_own_cgroup_or_the_parent_of_svc(tmp_path: Path, path: str) -> None:
    mounts, own = v2_host(tmp_path)
    own.write_text(f"0::{path}\n")
    roots = find(mounts=mounts, own=own)
    assert (roots.version, roots.directories) == (2, {"unified": f"{tmp_path}/mine"})


@pytest.mark.parametrize("missing", ["cpu", "memory", "pids"])
def test_a_v2_controller_that_is_not_delegated_is_named(tmp_path: Path, missing: str) -> None:
    mounts, own = v2_host(tmp_path, " ".join({"cpu", "memory", "pids"} - {missing}))
    own.write_text("0::/mine\n")
    with pytest.raises(HostError, match=f"lacks the {missing} controller"):
        find(mounts=mounts, own=own)


def test_a_v2_cgroup_that_is_not_writable_is_refused(tmp_path: Path) -> None:
    mounts, own = v2_host(tmp_path)
    own.write_text("0::/elsewhere\n")
    with pytest.raises(HostError, match="elsewhere is not writable"):
        find(mounts=mounts, own=own)


def test_no_cgroup_at_all_says_what_to_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 0 0:1 / / rw - ext4 /dev/sda rw")
    with pytest.raises(HostError, match="mount cgroup2"):
        find(mounts=mounts)


def test_configured_roots_are_used_as_given(tmp_path: Path) -> None:
    v1_host(tmp_path)
    given = tuple(f"{tmp_path}/{controller}" for controller in ("memory", "pids", "cpu"))
    directories = find(given).directories
    assert directories["memory"] == f"{tmp_path}/memory"
    assert directories["cpuacct"] == f"{tmp_path}/cpu"


def test_a_configured_set_without_a_controller_is_refused(tmp_path: Path) -> None:
    v1_host(tmp_path)
    with pytest.raises(HostError, match="names no directory for the pids controller"):
        find((f"{tmp_path}/memory", f"{tmp_path}/cpu"))
