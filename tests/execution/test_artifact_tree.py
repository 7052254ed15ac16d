import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.errors import ArtifactError
from soulbox_core.execution import artifact_tree as tree
from soulbox_core.model import OutputFile
from tests.execution.artifact_samples import FILES

HOSTILE = [
    "",
    "/",
    "/etc/passwd",
    "//a",
    ".",
    "..",
    "../a",
    "a/../../b",
    "a/..",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    "\udcff",
    "a" * 256,
    "ä" * 128,
    "/".join("a" * 65),
    "/".join(["a" * 200] * 11),
]

parts = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20)
anything = st.text(max_size=30) | st.lists(st.sampled_from(["a", "b", "..", ".", ""])).map("/".join)


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_refused_before_anything_is_written(path: str, tmp_path: Path) -> None:
    files = (OutputFile(path="good", content=b""), OutputFile(path=path, content=b"bad"))
    with pytest.raises(ArtifactError):
        tree.write(f"{tmp_path}/a/top", files)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b/c", "a/b"), ("a/b", "c", "a")])
def test_paths_that_conflict_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(ArtifactError):
        tree.check(paths)


def test_too_many_files_are_refused() -> None:
    tree.check(str(number) for number in range(tree.FILES))
    with pytest.raises(ArtifactError):
        tree.check(str(number) for number in range(tree.FILES + 1))


@pytest.mark.parametrize("path", ["a", "...", "a b\n", "-rf", "Main$1.class", "世界/🌍", "a\\b"])
def test_odd_names_that_a_compiler_may_choose_are_kept(path: str, tmp_path: Path) -> None:
    top = f"{tmp_path}/top"
    records = tree.write(top, (OutputFile(path=path, content=b"x"),))
    assert (Path(top) / path).read_bytes() == b"x"
    assert tree.verify(top, records)


@given(st.lists(anything, max_size=6))
def test_whatever_passes_stays_below_the_directory(paths: list[str]) -> None:
    try:
        tree.check(paths)
    except ArtifactError:
        return
    whole = {os.path.normpath(f"/top/{path}") for path in paths}
    assert whole == {f"/top/{path}" for path in paths}
    assert len(whole) == len(paths)
    assert all("\0" not in path for path in paths)


@given(st.lists(st.lists(parts, min_size=1, max_size=4).map("/".join), max_size=6))
def test_what_is_written_is_what_is_verified(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str]
) -> None:
    files = tuple(OutputFile(path=path, content=path.encode()) for path in paths)
    top = str(tmp_path_factory.mktemp("tree") / "top")
    try:
        records = tree.write(top, files)
    except ArtifactError:
        assert not os.path.exists(top)
        return
    looks = tree.verify(top, records)
    tree.hold(looks)
    assert looks == tree.look(top, paths)
    assert len(looks) == 1 + len(files) + len(tree.directories(paths))
    assert all(Path(top, file.path).read_bytes() == file.content for file in files)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_everyone_may_read_and_execute_and_nobody_write(umask: int, tmp_path: Path) -> None:
    top = tmp_path / "top"
    before = os.umask(umask)
    try:
        tree.write(str(top), FILES)
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (top, *top.rglob("*"))
    }
    assert modes == {
        "top": 0o755,
        "top/lib": 0o755,
        "top/main": 0o555,
        "top/lib/a.so": 0o555,
        "top/lib/empty": 0o555,
    }


def test_room_is_counted_in_blocks() -> None:
    sizes = {0: 1, 1: 2, 4096: 2, 4097: 3}
    for size, blocks in sizes.items():
        assert tree.blocks({"a": size}) == blocks * 4096
    assert tree.blocks({}) == 4096
    assert tree.blocks({"a/b/c": 0}) == 3 * 4096
