"""What an operator's volumes have to be."""

import os
from pathlib import Path

import pytest

from soulbox_core.errors import SettingsError
from soulbox_core.sandbox import volumes


def made(path: Path, mode: int = 0o755) -> str:
    path.mkdir(parents=True)
    path.chmod(mode)
    return str(path)


def test_volumes_are_told_by_name_with_their_real_directories(tmp_path: Path) -> None:
    real = made(tmp_path / "real")
    (tmp_path / "link").symlink_to(real)
    asked = {"b": real, "a/c": str(tmp_path / "link")}
    assert volumes.checked(asked, tmp_path / "state") == (("a/c", real), ("b", real))


def fails(tmp_path: Path, path: str, name: str = "a") -> str:
    with pytest.raises(SettingsError) as failure:
        volumes.checked({name: path}, tmp_path / "state")
    return str(failure.value)


def test_what_cannot_be_one_is_told_by_the_setting_s_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "volumes.a: 'x' is not an absolute path" in fails(tmp_path, "x")
    assert "No such file or directory" in fails(tmp_path, "/no/such/place")
    assert "is not a directory" in fails(tmp_path, str(tmp_path / "file"))
    closed = made(tmp_path / "closed", 0o750)
    assert f"chmod -R o+rX {closed}" in fails(tmp_path, closed)


def test_one_that_the_service_s_user_may_not_read_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the question itself is answered here."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "may not read" in fails(tmp_path, made(tmp_path / "a"))


def test_no_volume_holds_the_service_s_own_state(tmp_path: Path) -> None:
    state = made(tmp_path / "state")
    inside = made(tmp_path / "state" / "inside")
    tmp_path.chmod(0o755)
    for path in (state, inside, str(tmp_path)):
        assert "state_dir" in fails(tmp_path, path)


def test_no_volume_is_inside_of_another_by_its_name(tmp_path: Path) -> None:
    one = made(tmp_path / "one")
    with pytest.raises(SettingsError, match="a/b would be inside of a"):
        volumes.checked({"a": one, "a/b": one, "a-b": one}, tmp_path / "state")


def test_another_file_system_below_is_told_of(tmp_path: Path) -> None:
    """/proc has one in most places, and /dev everywhere that Podman works in."""
    with pytest.raises(SettingsError, match="another file system is mounted at /dev/"):
        volumes.checked({"a": "/dev"}, tmp_path / "state")
