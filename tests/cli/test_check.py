"""soulbox check: what it makes of a host."""

import os
from pathlib import Path

import msgspec
import pytest

from soulbox_core.cli.check import CHECKS
from soulbox_core.cli.host import build, limits, podman
from soulbox_core.cli.host.finding import Finding, Level
from soulbox_core.settings import Cgroup, Podman, Settings
from tests.cli.conftest import Invoke


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_whatever_does_not_pass_says_how_to_mend_it(check: object, tmp_path: Path) -> None:
    assert callable(check)
    finding = check(Settings(state_dir=str(tmp_path)))
    assert isinstance(finding, Finding)
    assert finding.detail
    assert bool(finding.fix) == (finding.level is not Level.PASS)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("soulbox:100000:65536", 65536),
        (f"{os.getuid()}:100000:65536", 65536),
        ("other:100000:65536", 0),
        ("soulbox:100000:1000", 1000),
        ("soulbox:broken", 0),
        ("soulbox:100000:many", 0),
        ("", 0),
    ],
)
def test_subordinate_ids_are_read_as_subuid_5_says(tmp_path: Path, line: str, count: int) -> None:
    file = tmp_path / "subuid"
    file.write_text(f"# comment\n{line}\n")
    mine = [one.count for one in podman.ranges(file) if one.is_of("soulbox")]
    assert sum(mine) == count


def test_a_missing_file_gives_nobody_ids(tmp_path: Path) -> None:
    assert list(podman.ranges(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("driver", "native", "level"),
    [
        ("overlay", "true", Level.PASS),
        ("overlay", "false", Level.WARN),
        ("vfs", "", Level.FAIL),
    ],
)
def test_storage_that_copies_images_fails_and_slow_storage_warns(
    driver: str, native: str, level: Level
) -> None:
    info = {
        "store": {"graphDriverName": driver, "graphStatus": {"Native Overlay Diff": native}},
        "version": {"Version": "5.4.2"},
    }
    assert podman.judge(msgspec.convert(info, podman.Info)).level is level


def test_a_missing_podman_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = podman.works(Settings(state_dir=str(tmp_path)))
    assert (finding.level, finding.fix) == (Level.FAIL, "apt-get install podman")
    assert build.mmdebstrap(Settings()).level is Level.WARN
    assert podman.helpers(Settings()).level is Level.FAIL


def test_cgroups_that_cannot_be_written_fail(tmp_path: Path) -> None:
    settings = Settings(cgroup=Cgroup(roots=(str(tmp_path / "memory"),)))
    assert limits.cgroups(settings).level is Level.FAIL


def test_a_seccomp_profile_that_is_not_there_fails() -> None:
    settings = Settings(podman=Podman(seccomp_profile="/no/such/profile.json"))
    finding = limits.seccomp(settings)
    assert finding.level is Level.FAIL
    assert "/no/such/profile.json" in finding.detail


def test_one_failure_makes_the_exit_code_1(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke(
        "check", "--state-dir", str(tmp_path), "--set", "podman.seccomp_profile=/no/such.json"
    )
    assert done.exit_code == 1
    assert "FAIL" in done.stdout
    assert "fix: " in done.stdout


@pytest.mark.integration
def test_the_host_that_the_scripts_prepared_passes(invoke: Invoke) -> None:
    done = invoke("check")
    assert done.exit_code == 0, done.stdout
    assert "FAIL" not in done.stdout
    assert "cgroups" in done.stdout
