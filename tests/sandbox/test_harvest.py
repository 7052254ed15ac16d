"""What the core makes of the files that a launcher sends, and of what is none."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.errors import CellLost
from soulbox_core.model import OutputFile
from soulbox_core.sandbox import harvest
from soulbox_core.sandbox.harvest import Harvest, Reader
from tests.loop import on_loop

BUDGET = 1 << 20
OVERHEAD = 2 << 20

Read = Callable[[Reader], Awaitable[Harvest]]


def header(path: Any, size: Any) -> bytes:
    return json.dumps({"path": path, "size": size}).encode() + b"\n"


def file(path: str, content: bytes) -> bytes:
    return header(path, len(content)) + content


def end(missing: tuple[str, ...] = (), skipped: tuple[str, ...] = ()) -> bytes:
    return json.dumps({"missing": missing, "skipped": skipped}).encode() + b"\n"


def launcher_sends(reader: Reader, content: bytes) -> Thread:
    """Write to a copy of the pipe's end, as the launcher does, in a thread of its own."""
    write_end = os.dup(reader.write_end)

    def write() -> None:
        with open(write_end, "wb") as pipe:
            try:
                pipe.write(content)
                pipe.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())  # for the close

    thread = Thread(target=write)
    thread.start()
    return thread


async def read(content: bytes, how: Read, budget: int = BUDGET) -> Harvest:
    reader = Reader(budget)
    thread = launcher_sends(reader, content)
    try:
        return await how(reader)
    finally:
        reader.close()
        thread.join()


async def into_memory(content: bytes, budget: int = BUDGET) -> Harvest:
    return await read(content, Reader.read, budget)


async def into(directory: Path, content: bytes, budget: int = BUDGET) -> Harvest:
    return await read(content, lambda reader: reader.read_into(directory), budget)


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def everything(directory: Path) -> set[Path]:
    return set(directory.rglob("*"))


SENT = file("a", b"1") + file("b/c/d", b"\0\n{}" * 1000) + file("b/e", b"") + end(("x",), ("y",))
HELD = {"a": b"1", "b/c/d": b"\0\n{}" * 1000, "b/e": b""}


@on_loop
async def test_files_are_read_as_they_were_sent() -> None:
    found = await into_memory(SENT)
    assert {each.path: each.content for each in found.files} == HELD
    assert (found.missing, found.skipped) == (("x",), ("y",))


@on_loop
async def test_files_go_below_a_directory_and_not_into_memory(tmp_path: Path) -> None:
    found = await into(tmp_path, SENT)
    assert tree(tmp_path) == HELD
    assert found == Harvest(files=(), missing=("x",), skipped=("y",))


@on_loop
async def test_no_file_at_all(tmp_path: Path) -> None:
    assert await into(tmp_path, end()) == Harvest(files=(), missing=(), skipped=())
    assert await into_memory(end()) == Harvest(files=(), missing=(), skipped=())


@on_loop
async def test_a_large_file_comes_whole(tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 3
    await into(tmp_path, file("large", content) + end(), budget=len(content))
    assert (tmp_path / "large").read_bytes() == content


GARBLED = {
    "nothing": b"",
    "cut in a header": b'{"path": "a", "si',
    "cut after a header": header("a", 5),
    "cut in a file": header("a", 5) + b"123",
    "no last line": file("a", b"1"),
    "last line cut": file("a", b"1") + b'{"missing": [], "skip',
    "not JSON": b"hello\n" + end(),
    "not an object": b"[1]\n" + end(),
    "a number": b"3\n" + end(),
    "null": b"null\n" + end(),
    "no size": b'{"path": "a"}\n' + end(),
    "size as text": header("a", "5") + b"12345" + end(),
    "no path that is text": header(["a"], 1) + b"1" + end(),
    "no skipped": b'{"missing": []}\n',
    "missing as a number": b'{"missing": 1, "skipped": []}\n',
    "not UTF-8": b'{"path": "\xff", "size": 1}\n1' + end(),
}


@pytest.mark.parametrize("name", GARBLED)
@on_loop
async def test_what_is_garbled_or_cut_short_is_the_cell_s_loss(name: str, tmp_path: Path) -> None:
    with pytest.raises(CellLost):
        await into(tmp_path, GARBLED[name])
    with pytest.raises(CellLost):
        await into_memory(GARBLED[name])


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "a/../../outside",
        "..",
        ".",
        "./a",
        "a/.",
        "/outside",
        "//outside",
        "",
        "a/",
        "a//b",
        "a\0b",
        "x" * 300,
        "\ud800",
    ],
)
@on_loop
async def test_no_path_leads_out_of_the_directory(path: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(CellLost):
        await into(inside, file("first", b"1") + file(path, b"2") + end())
    assert everything(tmp_path) <= {inside, inside / "first", inside / "a"}


@on_loop
async def test_no_file_takes_the_place_of_another(tmp_path: Path) -> None:
    with pytest.raises(CellLost):
        await into(tmp_path, file("a", b"1") + file("a", b"2") + end())
    assert tree(tmp_path) == {"a": b"1"}
    with pytest.raises(CellLost):
        await into(tmp_path, file("b", b"1") + file("b/c", b"2") + end())


@on_loop
async def test_a_link_that_is_there_already_is_not_written_through(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    (inside / "a").symlink_to(outside)
    with pytest.raises(CellLost):
        await into(inside, file("a", b"1") + end())
    assert not outside.exists()


@on_loop
async def test_more_than_agreed_is_not_taken(tmp_path: Path) -> None:
    half = file("a", b"x" * (OVERHEAD + 5)) + file("b", b"x" * 6) + end()
    with pytest.raises(CellLost):
        await into(tmp_path, half, budget=10)
    with pytest.raises(CellLost):
        await into_memory(half, budget=10)
    assert not (tmp_path / "b").exists()
    with pytest.raises(CellLost):
        await into(tmp_path, header("c", 1 << 60) + b"1")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("size", [-1, -(1 << 40), 1.5, True, None, "1"])
@on_loop
async def test_a_size_that_is_none_is_not_taken(size: Any, tmp_path: Path) -> None:
    with pytest.raises(CellLost):
        await into(tmp_path, header("a", size) + b"1" + header("b", 1 << 30) + end(), budget=10)
    with pytest.raises(CellLost):
        await into_memory(header("a", size) + b"1" + header("b", 1 << 30) + end(), budget=10)


@on_loop
async def test_a_header_without_end_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(CellLost):
        await into(tmp_path, b"[" * (1 << 20))
    with pytest.raises(CellLost):
        await into_memory(b'"' + b"x" * (OVERHEAD + BUDGET) + b'"\n')


@on_loop
async def test_a_launcher_that_sends_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(harvest, "HARVEST_SECONDS", 0.05)
    monkeypatch.setattr(harvest, "TREE_SECONDS", 0.05)
    ways: tuple[Read, ...] = (Reader.read, lambda reader: reader.read_into(tmp_path))
    for how in ways:
        reader = Reader(BUDGET)
        write_end = os.dup(reader.write_end)
        with pytest.raises(CellLost, match=r"not done in 0\.05 s"):
            await how(reader)
        reader.close()
        os.close(write_end)  # as the kernel does when the cell is killed


@on_loop
async def test_nothing_is_written_any_more_once_it_was_given_up(tmp_path: Path) -> None:
    """What its owner deletes must not come back, though a thread still reads."""
    reader = Reader(BUDGET)
    write_end = os.dup(reader.write_end)
    os.write(write_end, file("early/a", b"1"))
    reading = asyncio.ensure_future(reader.read_into(tmp_path))
    while not tree(tmp_path):  # noqa: ASYNC110, the thread tells nobody
        await asyncio.sleep(0.001)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    thread = Thread(target=lambda: _until_refused(write_end))
    thread.start()
    thread.join()
    assert tree(tmp_path) == {"early/a": b"1"}
    reader.close()


def _until_refused(write_end: int) -> None:
    """Send more files, until the thread that reads has given up."""
    with open(write_end, "wb", buffering=0) as pipe:
        try:
            for number in range(100_000):
                pipe.write(file(f"late/{number}", b"2"))
        except BrokenPipeError:
            return
    raise AssertionError("it is still reading")


@given(
    st.lists(
        st.tuples(st.text("ab/.\n\0\u00e9", min_size=1, max_size=8), st.binary(max_size=20)),
        max_size=4,
    )
)
def test_what_is_read_is_what_was_sent_whatever_the_names_and_contents(
    files: list[tuple[str, bytes]],
) -> None:
    sent = b"".join(file(path, content) for path, content in files) + end()

    @on_loop
    async def check() -> None:
        found = await into_memory(sent)
        assert found.files == tuple(OutputFile(path=path, content=data) for path, data in files)

    check()


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail_otherwise_than_as_a_loss(content: bytes) -> None:
    @on_loop
    async def check() -> None:
        try:
            await into_memory(content)
        except CellLost:
            return

    check()
