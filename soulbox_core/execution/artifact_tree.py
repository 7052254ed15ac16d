"""An artifact's files in a directory: checked, written, and later held against the record.

The paths come out of a cell, so they are trusted no more than the program in it.
"""

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping

from soulbox_core.errors import ArtifactError, shown
from soulbox_core.model import OutputFile, Value

FILE_MODE = 0o555
"""Cells run as users of their own, who may read and execute, and nobody may write."""
DIRECTORY_MODE = 0o755

PART_BYTES = 255
"""NAME_MAX of every Linux file system."""
PATH_BYTES = 2048
"""Leaves room below PATH_MAX for the directory that the store is in."""
DEPTH = 64
FILES = 65_536

_FILE = stat.S_IFREG | FILE_MODE
_DIRECTORY = stat.S_IFDIR | DIRECTORY_MODE
_BLOCK_BYTES = 4096


class Record(Value):
    """What was written of one file."""

    path: str
    size: int
    sha256: str


Look = tuple[int, int, int, int]
"""Mode, size, time of the last change in nanoseconds, inode."""
Looks = tuple[tuple[str, Look], ...]
"""An artifact's directory and all that is in it, by whole paths, as they were last seen."""


def check(paths: Iterable[str]) -> None:
    """Let a set of paths through, or refuse it.

    :raises ArtifactError: one is not relative and normalised, or there twice, or the directory
        of another, or they are too many
    """
    files: set[str] = set()
    for path in paths:
        if not _is_safe(path):
            raise ArtifactError(f"{shown(path)} is not a path of a file below the directory")
        if path in files:
            raise ArtifactError(f"{shown(path)} is there twice")
        files.add(path)
    if len(files) > FILES:
        raise ArtifactError(f"there are {len(files)} files and at most {FILES} can be kept")
    for directory in directories(files):
        if directory in files:
            raise ArtifactError(f"{shown(directory)} is a file and a directory")


def directories(paths: Iterable[str]) -> set[str]:
    """The directories that the files are in, but for the one that they all are in."""
    return {parent for path in paths for parent in _parents(path)}


def blocks(sizes: Mapping[str, int]) -> int:
    """Bytes that files and their directories take of a file system.

    :param sizes: path to bytes
    """
    contents = sum(-(-size // _BLOCK_BYTES) for size in sizes.values())
    return (contents + 1 + len(directories(sizes))) * _BLOCK_BYTES


def write(top: str, files: tuple[OutputFile, ...]) -> tuple[Record, ...]:
    """Make the directory `top` and the files in it, whatever the umask is.

    :raises ArtifactError: see `check`
    :raises OSError: the file system refused
    """
    check(file.path for file in files)
    _make_directory(top)
    for directory in sorted(directories(file.path for file in files)):
        _make_directory(f"{top}/{directory}")
    return tuple(_write(top, file) for file in files)


def adopt(top: str) -> tuple[Record, ...]:
    """Take what is below a directory of ours as it is, and set everybody's modes.

    :raises ArtifactError: see `check`; or there is something else than files and their directories
    :raises OSError: the file system refused
    """
    found = set(_listing(top))
    files = sorted(path for path in found if stat.S_ISREG(os.lstat(f"{top}/{path}").st_mode))
    check(files)
    parents = directories(files)
    others = found - parents - {*files}
    if others:  # they would be found to be there unasked after the next start
        raise ArtifactError(f"{shown(min(others))} is no file and no directory of one")
    for directory in (top, *(f"{top}/{each}" for each in parents)):
        os.chmod(directory, DIRECTORY_MODE)
    return tuple(_adopt(top, path) for path in files)


def look(top: str, paths: Collection[str]) -> Looks:
    """How the files, their directories and `top` look now.

    :raises OSError: one is not there
    """
    below = sorted({*paths, *directories(paths)})
    return tuple((path, _look(path)) for path in (top, *(f"{top}/{each}" for each in below)))


def hold(looks: Looks) -> None:
    """Return if nothing has changed since; costs one system call a file and reads none.

    A file that was added or removed shows in its directory's time.

    :raises ArtifactError: something has
    """
    for path, before in looks:
        try:
            now = _look(path)
        except OSError as error:
            raise ArtifactError(f"{_below(looks, path)}: {error.strerror}") from None
        if now != before:
            raise ArtifactError(f"{_below(looks, path)} has changed")


def verify(top: str, records: tuple[Record, ...]) -> Looks:
    """Read everything and return how it looks, if it is what was written.

    :raises ArtifactError: it is not; says what differs
    """
    try:
        return _verify(top, records)
    except OSError as error:
        raise ArtifactError(f"it cannot be read: {error.strerror}") from None


def _verify(top: str, records: tuple[Record, ...]) -> Looks:
    paths = {record.path for record in records}
    expected = paths | directories(paths)
    found = set(_listing(top))
    if found != expected:
        raise ArtifactError(f"{shown(min(found ^ expected))} is missing, or there unasked")
    looks = look(top, paths)  # before reading, so that a change meanwhile is seen the next time
    for path, (mode, *_) in looks:
        wanted = _FILE if path[len(top) + 1 :] in paths else _DIRECTORY
        if mode != wanted:
            raise ArtifactError(f"{_below(looks, path)} has mode {mode:o}, not {wanted:o}")
    for record in records:
        with open(f"{top}/{record.path}", "rb") as file:
            if os.fstat(file.fileno()).st_size != record.size:
                raise ArtifactError(f"{shown(record.path)} has another size")
            if hashlib.file_digest(file, "sha256").hexdigest() != record.sha256:
                raise ArtifactError(f"{shown(record.path)} has another content")
    return looks


def _make_directory(path: str) -> None:
    os.mkdir(path)
    os.chmod(path, DIRECTORY_MODE)


def _write(top: str, file: OutputFile) -> Record:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(f"{top}/{file.path}", flags, 0o600), "wb", buffering=0) as target:
        rest = memoryview(file.content)
        while rest:
            rest = rest[target.write(rest) :]
        os.fchmod(target.fileno(), FILE_MODE)
    digest = hashlib.sha256(file.content).hexdigest()
    return Record(path=file.path, size=len(file.content), sha256=digest)


def _adopt(top: str, path: str) -> Record:
    with open(f"{top}/{path}", "rb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Record(path=path, size=size, sha256=digest)


def _look(path: str) -> Look:
    seen = os.lstat(path)
    return seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ino


def _listing(top: str) -> Iterator[str]:
    """Everything below a directory, by relative paths. No link is followed."""
    waiting = [top]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry.path[len(top) + 1 :]
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _is_safe(path: str) -> bool:
    try:
        whole = path.encode()
    except UnicodeEncodeError:
        return False
    parts = whole.split(b"/")
    return (
        len(whole) <= PATH_BYTES
        and len(parts) <= DEPTH
        and b"\0" not in whole
        and all(0 < len(part) <= PART_BYTES and part not in (b".", b"..") for part in parts)
    )


def _parents(path: str) -> Iterator[str]:
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)


def _below(looks: Looks, path: str) -> str:
    """A path for a message: without the directory, whose name is a secret of its cells."""
    top = looks[0][0]
    return shown(path[len(top) + 1 :]) if path != top else "the directory"
