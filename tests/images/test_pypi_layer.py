"""Installing for the image's Python: its interpreter, outside of the image."""

from pathlib import Path

import pytest

from soulbox_core.images import pypi_layer


def make_root(root: Path, loader: str) -> None:
    """A merged-/usr root whose python3 is a link, as Debian's is."""
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/lib/triplet").mkdir(parents=True)
    (root / "usr/lib64").mkdir()
    (root / "lib64").symlink_to("usr/lib64")
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/lib/triplet/ld-linux.so.2").touch()
    for link in (root / "usr/lib64/ld-linux-x86-64.so.2", root / "usr/lib/ld-linux-aarch64.so.1"):
        link.symlink_to(root / "usr/lib/triplet/ld-linux.so.2")
    (root / "usr/bin/python3.13").write_bytes(b"\x7fELF\0\0" + loader.encode() + b"\0rest")
    (root / "usr/bin/python3").symlink_to("python3.13")


@pytest.mark.parametrize("loader", ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"])
def test_interpreter_runs_on_the_images_own_loader_and_libraries(
    tmp_path: Path, loader: str
) -> None:
    make_root(tmp_path, loader)
    libraries = tmp_path / "usr/lib/triplet"
    assert pypi_layer.interpreter(tmp_path) == (
        str(libraries / "ld-linux.so.2"),
        "--library-path",
        str(libraries),
        str(tmp_path / "usr/bin/python3.13"),
        "-s",
        "-P",
    )


def test_a_python_without_a_loader_is_refused(tmp_path: Path) -> None:
    make_root(tmp_path, "")
    with pytest.raises(SystemExit, match="names no dynamic loader"):
        pypi_layer.interpreter(tmp_path)


def test_requirements_cannot_become_options_or_builds_from_source() -> None:
    argv = pypi_layer.pip_argv(("py",), "/pip", Path("/t"), ["--index-url=http://evil", "numpy"])
    assert argv[-3:] == ("--", "--index-url=http://evil", "numpy")
    assert "--only-binary=:all:" in argv


def test_compiled_files_name_their_source_as_the_image_knows_it() -> None:
    argv = pypi_layer.compile_argv(("py",), Path("/stage"), Path("/stage/usr/lib/x"))
    assert argv[-5:] == ("-s", "/stage", "-p", "/", "/stage/usr/lib/x")
    assert "unchecked-hash" in argv
