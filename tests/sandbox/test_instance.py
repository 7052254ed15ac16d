from pathlib import Path

import pytest

from soulbox_core.errors import HostError
from soulbox_core.sandbox.instance import Instance


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "runtime"
    directory.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    return directory


def test_the_id_survives_a_restart(tmp_path: Path) -> None:
    first = Instance(tmp_path / "state", "main")
    first.close()
    second = Instance(tmp_path / "state", "main")
    assert second.id == first.id
    second.close()


def test_instances_of_one_state_directory_have_ids_of_their_own(tmp_path: Path) -> None:
    one, other = (Instance(tmp_path / "state", name) for name in ("one", "other"))
    assert one.id != other.id
    assert one.run_dir != other.run_dir
    one.close()
    other.close()


def test_a_second_process_is_refused_and_told_why(tmp_path: Path) -> None:
    first = Instance(tmp_path / "state", "main")
    with pytest.raises(HostError, match=r"'main' .* is running already"):
        Instance(tmp_path / "state", "main")
    first.close()


def test_what_an_earlier_life_left_in_the_runtime_directory_is_removed(tmp_path: Path) -> None:
    first = Instance(tmp_path / "state", "main")
    (first.run_dir / "stale.sock").touch()
    first._lock.close()  # as the kernel does for a killed process
    second = Instance(tmp_path / "state", "main")
    assert list(second.run_dir.iterdir()) == []
    second.close()
    assert not second.run_dir.exists()


def test_a_runtime_directory_too_long_for_a_socket_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    instance = Instance(tmp_path / "state", "main")
    assert long not in instance.run_dir.parents
    instance.close()


def test_a_state_directory_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="set state_dir"):
        Instance(tmp_path / "file" / "state", "main")
