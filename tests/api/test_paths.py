import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.api.paths import DEPTH, PATTERN, check_path, check_tree
from soulbox_core.errors import InvalidRequest

HOSTILE = st.text(st.sampled_from("./\\ab*~\0\n\r\t\x7f\x85 -ä😀"), max_size=12) | st.text()
SMALL = st.lists(st.sampled_from(["a", "b", "c.txt"]), min_size=1, max_size=4).map("/".join)


def is_accepted(path: str) -> bool:
    try:
        check_path(path, "files")
    except InvalidRequest:
        return False
    return True


@pytest.mark.parametrize(
    "path",
    [
        "main.py",
        "a/b/c.txt",
        ".hidden",
        "...",
        "..a/b..",
        "with space",
        "-rf",
        "~",
        "back\\slash",
        "Grüße/😀",
        "*.csv",
        "**/[ab]?.txt",
        "a" * 255,
        "/".join("a" * DEPTH),
    ],
)
def test_a_path_in_the_working_directory_is_accepted(path: str) -> None:
    check_path(path, "files")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        ".",
        "../up",
        "a/../../b",
        "a/..",
        "./a",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        "a\nb",
        "a\n",
        "a\x7f",
        "a\x85",
        "a" * 256,
        "ä" * 128,
        "/".join("a" * (DEPTH + 1)),
        "/".join(["a" * 255] * 16) + "/a",
    ],
)
def test_a_path_that_could_leave_or_confuse_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest, match="must be relative") as refused:
        check_path(path, "files")
    assert refused.value.field == "files"
    assert len(refused.value.detail) < 400


@given(HOSTILE)
def test_every_accepted_path_stays_inside_the_directory(path: str) -> None:
    if is_accepted(path):
        inside = os.path.normpath(os.path.join("/work", path))
        assert inside == f"/work/{path}"
        assert path.isprintable() or not re.search(r"[\0-\x1f\x7f-\x9f]", path)


@given(HOSTILE)
def test_the_documented_pattern_is_the_rule(path: str) -> None:
    # `$` is the very end in JSON Schema's dialect.
    documented = re.search(PATTERN[:-1] + r"\Z", path) is not None
    short = all(len(part.encode("utf-8", "replace")) <= 255 for part in path.split("/"))
    assert is_accepted(path) == (documented and short)


@given(st.lists(SMALL, min_size=1, max_size=5, unique=True))
def test_an_accepted_tree_can_be_written_and_only_such_a_one(paths: list[str]) -> None:
    try:
        check_tree(paths, "files")
        accepted = True
    except InvalidRequest:
        accepted = False
    with tempfile.TemporaryDirectory() as root:
        assert accepted == can_be_written(Path(root), paths)


def can_be_written(root: Path, paths: list[str]) -> bool:
    try:
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(path)
    except OSError:
        return False
    return True


def test_a_file_that_is_also_a_directory_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="'a/b' is a file and also the directory of 'a/b/c'"):
        check_tree(["x", "a/b/c", "a/b"], "files")
