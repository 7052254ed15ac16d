"""The environment that selects this instance's own Podman storage and configuration."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from soulbox_core.errors import HostError
from soulbox_core.sandbox.podman_env import podman_environment
from soulbox_core.settings import Podman, Settings


def conf(env: dict[str, str], variable: str) -> dict[str, Any]:
    return tomllib.loads(Path(env[variable]).read_text())


def test_storage_is_native_overlay_under_the_state_directory(tmp_path: Path) -> None:
    env = podman_environment(Settings(state_dir=str(tmp_path)))
    storage = conf(env, "CONTAINERS_STORAGE_CONF")["storage"]
    assert storage["driver"] == "overlay"
    assert storage["rootless_storage_path"] == storage["graphroot"] == f"{tmp_path}/storage"


def test_podman_logs_nothing_and_leaves_limits_to_the_core(tmp_path: Path) -> None:
    settings = Settings(state_dir=str(tmp_path), podman=Podman(runtime="my-runtime"))
    containers = conf(podman_environment(settings), "CONTAINERS_CONF")
    assert containers["containers"] == {"log_driver": "none", "pids_limit": 0}
    assert containers["engine"] == {
        "runtime": "my-runtime",
        "cgroup_manager": "cgroupfs",
        "events_logger": "none",
    }


def test_a_state_directory_with_quotes_in_its_name_is_still_toml(tmp_path: Path) -> None:
    state = tmp_path / 'a"b\\c'
    env = podman_environment(Settings(state_dir=str(state)))
    assert conf(env, "CONTAINERS_STORAGE_CONF")["storage"]["graphroot"] == f"{state}/storage"


def test_secrets_of_the_callers_environment_do_not_reach_podman(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "secret" not in podman_environment(Settings(state_dir=str(tmp_path))).values()


def test_sbin_is_searched_for_the_runtime_even_if_the_caller_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/only/mine")
    settings = Settings(state_dir=str(tmp_path), podman=Podman(runtime="runc"))
    path = podman_environment(settings)["PATH"].split(os.pathsep)
    assert path[0] == "/only/mine"
    assert "/usr/sbin" in path


@pytest.mark.parametrize("given", ["some-run", ""])
def test_runtime_directory_is_the_callers_or_in_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    given = given and str(tmp_path / given)
    monkeypatch.setenv("XDG_RUNTIME_DIR", given)
    env = podman_environment(Settings(state_dir=str(tmp_path / "state")))
    assert env["XDG_RUNTIME_DIR"] == (given or str(tmp_path / "state" / "run"))
    assert Path(env["XDG_RUNTIME_DIR"]).stat().st_mode & 0o077 == 0


def test_an_unusable_state_directory_is_named_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match=r"file.*set state_dir"):
        podman_environment(Settings(state_dir=str(tmp_path / "file" / "state")))
