"""The files in which records wait until the database has them."""

import os
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from soulbox_core.errors import StoreError
from soulbox_core.journal.frames import Frames, framed, frames
from soulbox_core.model import Value

SEGMENT_BYTES = 1 << 20
"""A file that has grown to this takes no more."""

_SUFFIX = ".records"


class Segment(Value):
    """A file that takes no more records."""

    name: str
    """Unique among all nodes' segments, and the older the less."""
    size: int
    """In bytes."""

    @property
    def begun_at(self) -> float:
        """When its first record came, in seconds since the epoch; 0 if its name does not tell."""
        nanoseconds = self.name.partition("-")[0]
        return int(nanoseconds) / 1e9 if nanoseconds.isdecimal() else 0.0


class Spool:
    """Appends records to files in a directory of its own.

    What `append` has returned from survives this process, however it ends: the kernel has it. It
    survives a power cut after `sync`. Every method but `read` and `sync` belongs to the event
    loop's thread.

    :param most_bytes: what all files may have together
    :raises StoreError: the directory cannot be used
    """

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._name = ""
        self._descriptor: int | None = None
        self._size = 0
        self.fault = ""
        """Why the disk did not take the last record; empty if it did, or was not asked."""
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
            self._sealed = {segment.name: segment for segment in self._left_over()}
        except OSError as error:
            raise StoreError(f"{error.filename}: {error.strerror}") from None
        self._sealed_bytes = sum(segment.size for segment in self._sealed.values())

    @property
    def size(self) -> int:
        """What all files have together, in bytes."""
        return self._sealed_bytes + self._size

    @property
    def sealed(self) -> tuple[Segment, ...]:
        """The files that take no more, the oldest first."""
        return tuple(self._sealed.values())

    def append(self, payload: bytes) -> bool:
        """Keep a record; False if there is no room for it, or the disk takes none."""
        frame = framed(payload)
        if self.size + len(frame) > self._most_bytes:
            self.fault = ""
            return False
        try:
            if self._descriptor is None:
                self._begin()
            self._write(frame)
        except OSError as error:
            self.fault = f"{self._directory}: {error.strerror}"
            return False
        self.fault = ""
        self._size += len(frame)
        if self._size >= SEGMENT_BYTES:
            self.seal()
        return True

    def seal(self) -> None:
        """Let the file that takes records take no more."""
        if self._descriptor is not None and self._size:
            descriptor, self._descriptor = self._descriptor, None
            self._sealed[self._name] = Segment(name=self._name, size=self._size)
            self._sealed_bytes += self._size
            self._size = 0
            with suppress(OSError):  # what a late write failed with; a torn frame is noticed
                os.close(descriptor)

    def read(self, segment: Segment) -> Frames:
        """What is in a file.

        :raises OSError: it cannot be read
        """
        return frames(self._path(segment.name).read_bytes())

    def remove(self, segment: Segment) -> None:
        """Drop a file.

        :raises OSError: it stays where it is
        """
        self._path(segment.name).unlink(missing_ok=True)
        if self._sealed.pop(segment.name, None) is not None:
            self._sealed_bytes -= segment.size

    def sync(self) -> None:
        """Have everything on disk.

        :raises OSError: it is not
        """
        for path in (*self._directory.glob(f"*{_SUFFIX}"), self._directory):
            _sync(path)

    def _left_over(self) -> list[Segment]:
        """The files that an earlier life left."""
        found = []
        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            size = path.stat().st_size
            if size:
                found.append(Segment(name=path.stem, size=size))
            else:  # nothing could be written there
                path.unlink()
        return found

    def _begin(self) -> None:
        self._name = f"{time.time_ns():020d}-{token_hex(8)}"
        self._directory.mkdir(mode=0o700, exist_ok=True)  # somebody may have removed it
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path(self._name), flags, 0o600)

    def _write(self, frame: bytes) -> None:
        """Write a frame, all of it or nothing."""
        assert self._descriptor is not None
        written = 0
        try:
            written = os.write(self._descriptor, frame)
            if written < len(frame):
                raise OSError("the disk is full")
        except OSError:
            if written:
                os.ftruncate(self._descriptor, self._size)
            raise

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{_SUFFIX}"


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # the database has it meanwhile
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
