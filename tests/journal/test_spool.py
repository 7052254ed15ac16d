import os
import resource
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from soulbox_core.errors import StoreError
from soulbox_core.journal.frames import framed
from soulbox_core.journal.spool import SEGMENT_BYTES, Segment, Spool

PAYLOAD = b"a record"
FRAME = len(framed(PAYLOAD))


def sealed(spool: Spool) -> Segment:
    spool.seal()
    return spool.sealed[-1]


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    assert spool.sealed == ()
    assert spool.append(b"one")
    assert spool.append(b"two")
    assert spool.read(sealed(spool)) == ([b"one", b"two"], False)


def test_files_are_taken_the_oldest_first_also_by_a_later_life(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    for payload in (b"one", b"two", b"three"):
        spool.append(payload)
        spool.seal()
    spool.append(b"not sealed")
    later = Spool(tmp_path, 1000)
    assert later.size == spool.size
    found = []
    for segment in later.sealed:
        found += later.read(segment).payloads
        later.remove(segment)
    assert found == [b"one", b"two", b"three", b"not sealed"]
    assert later.size == 0
    assert not list(tmp_path.glob("*.records"))


def test_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 3 * FRAME)
    assert [spool.append(PAYLOAD) for _ in range(4)] == [True, True, True, False]
    spool.remove(sealed(spool))
    assert spool.append(PAYLOAD)


def test_what_an_earlier_life_left_takes_room(tmp_path: Path) -> None:
    Spool(tmp_path, 1000).append(PAYLOAD)
    assert not Spool(tmp_path, FRAME).append(PAYLOAD)


def test_a_file_that_is_full_is_sealed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 4 * SEGMENT_BYTES)
    spool.append(bytes(SEGMENT_BYTES))
    assert len(spool.sealed) == 1


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """The kernel writes what fits, and refuses the rest (setrlimit(2)), as on a full disk."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_record_that_the_disk_takes_a_part_of_leaves_no_trace(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    assert spool.append(PAYLOAD)
    with file_size_limit(FRAME + 3):
        assert not spool.append(PAYLOAD)
        assert not spool.append(PAYLOAD)
    assert spool.append(b"after")
    assert spool.read(sealed(spool)) == ([PAYLOAD, b"after"], False)


def test_a_directory_that_is_gone_is_made_again(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    spool = Spool(directory, 1000)
    directory.rmdir()
    assert spool.append(PAYLOAD)
    assert spool.read(sealed(spool)) == ([PAYLOAD], False)


def test_what_cannot_be_kept_is_refused_and_says_why(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    spool = Spool(directory, 1000)
    directory.rmdir()
    directory.touch()
    assert not spool.append(PAYLOAD)
    assert spool.fault
    directory.unlink()
    assert spool.append(PAYLOAD)
    assert not spool.fault


def test_a_file_in_which_nothing_came_to_stand_is_none(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    with file_size_limit(3):
        assert not spool.append(PAYLOAD)
    spool.seal()
    assert spool.sealed == ()
    assert Spool(tmp_path, 1000).sealed == ()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    spool = Spool(directory, 1000)
    spool.append(PAYLOAD)
    (file,) = directory.glob("*.records")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_any_file_can_be_dropped_and_tells_when_it_was_begun(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    before = time.time()
    spool.append(PAYLOAD)
    first = sealed(spool)
    spool.append(PAYLOAD)
    second = sealed(spool)
    assert before <= first.begun_at <= second.begun_at <= time.time()
    spool.remove(second)
    assert spool.sealed == (first,)
    assert spool.size == FRAME


def test_a_place_that_is_none_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        Spool(tmp_path / "file", 1000)


def test_sync_reaches_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, 1000)
    spool.append(PAYLOAD)
    spool.seal()
    spool.append(PAYLOAD)
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    spool.sync()
    expected = {path.stat().st_ino for path in (*tmp_path.glob("*.records"), tmp_path)}
    assert set(synced) == expected
    assert len(expected) == 3
