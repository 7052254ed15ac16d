"""What the launcher's reader picks of the tree that a program left."""

import io
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from soulbox_core.sandbox.launcher import harvest

BUDGET = 1 << 20
MOST = 256

Sent = tuple[dict[str, bytes], list[str], list[str]]


def sent(patterns: list[str] | None = None, *, budget: int = BUDGET, most: int = MOST) -> Sent:
    """What is sent of the working directory: files, and what is told missing and skipped."""
    stream = io.BytesIO()
    harvest._write(patterns, budget, most, stream)
    stream.seek(0)
    files: dict[str, bytes] = {}
    while True:
        line: dict[str, Any] = json.loads(stream.readline())
        if "path" not in line:
            assert stream.read() == b""
            return files, line["missing"], line["skipped"]
        assert line["path"] not in files
        files[line["path"]] = stream.read(line["size"])
        assert len(files[line["path"]]) == line["size"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    directory = tmp_path / "out"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def test_without_patterns_every_file_is_brought_in_order_hidden_ones_too(here: Path) -> None:
    for path in ("b/z", "b/a/x", "a", ".hidden/.file", "c"):
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).write_bytes(path.encode())
    files, missing, skipped = sent()
    assert list(files) == ["a", "c", ".hidden/.file", "b/z", "b/a/x"]
    assert all(content == path.encode() for path, content in files.items())
    assert (missing, skipped) == ([], [])


def test_nothing_is_nothing() -> None:
    assert sent() == ({}, [], [])


def test_with_patterns_only_what_matches_is_brought(here: Path) -> None:
    (here / "a.png").write_bytes(b"1")
    (here / "b.txt").write_bytes(b"2")
    assert sent(["*.png", "*.jpg"]) == ({"a.png": b"1"}, ["*.jpg"], [])
    assert sent([]) == ({}, [], [])


def test_only_regular_files_are_brought_and_no_link_is_followed(here: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "secret").write_bytes(b"secret")
    os.symlink(tmp_path / "secret", here / "link")
    os.symlink(tmp_path / "tree", here / "directory")
    os.symlink("/", here / "root")
    os.symlink(".", here / "self")
    os.symlink("nowhere", here / "broken")
    os.mkfifo(here / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("socket")
    (here / "file").write_bytes(b"file")
    assert sent() == ({"file": b"file"}, [], [])
    assert sent(["**"]) == ({"file": b"file"}, [], [])


def test_a_hard_link_is_a_file_as_any(here: Path) -> None:
    (here / "a").write_bytes(b"1")
    os.link("a", "b")
    assert sent() == ({"a": b"1", "b": b"1"}, [], [])


def test_what_does_not_fit_is_skipped_by_name_and_the_rest_comes(here: Path) -> None:
    (here / "a").write_bytes(b"x" * 6)
    (here / "b").write_bytes(b"x" * 6)
    (here / "c").write_bytes(b"x" * 4)
    files, missing, skipped = sent(budget=10)
    assert (list(files), missing, skipped) == (["a", "c"], [], ["b"])


def test_a_sparse_file_counts_by_its_size(here: Path) -> None:
    with (here / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert sent() == ({}, [], ["sparse"])


def test_no_more_files_than_the_most_are_sent_and_a_bounded_number_told_of(here: Path) -> None:
    for number in range(MOST * 2):
        (here / f"{number:04}").write_bytes(b"")
    files, _, skipped = sent(most=10)
    assert len(files) == 10
    assert len(skipped) == harvest.MAX_FILES
    assert len(sent(most=MOST * 2)[0]) == MOST * 2


def test_no_more_entries_are_looked_at_than_the_most(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harvest, "MAX_ENTRIES", 20)
    for number in range(50):
        (here / f"{number:04}").mkdir()
    (here / "zzz").write_bytes(b"1")
    assert len(list(harvest._regular_files(".", 20))) <= 20
    sent(most=5)


NAMES = [
    "new\nline",
    'quo"te',
    "back\\slash",
    "tab\t",
    "\x01\x7f",
    "caf\u00e9",
    "\u202e",
    "*",
    "a b",
]


@pytest.mark.parametrize("name", NAMES)
def test_strange_names_come_as_they_are(here: Path, name: str) -> None:
    (here / name).write_bytes(b"1")
    assert sent() == ({name: b"1"}, [], [])


@pytest.mark.parametrize("name", [b"\xff", b"caf\xe9", b"\xed\xa0\x80"])
def test_a_name_that_is_no_text_is_skipped_and_told_of_in_text(here: Path, name: bytes) -> None:
    with open(name, "wb"):
        pass
    (here / "other").write_bytes(b"1")
    files, _, skipped = sent()
    assert files == {"other": b"1"}
    assert len(skipped) == 1
    skipped[0].encode()


def test_deep_trees_and_long_names_hold_nothing_up(here: Path) -> None:
    top = os.getcwd()
    try:
        for _ in range(50):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        with open("deep", "wb"):
            pass
    finally:
        os.chdir(top)
    (here / "z").write_bytes(b"1")
    files, _, _ = sent()
    assert files == {"z": b"1"}  # the other's path is longer than the kernel takes
