"""The directories in which an embedded database was, and which of them it is in now.

It begins in `data`. Each time it is rewritten it moves to a new one, `data-1`, `data-2` and so on,
and the file `current` names the one that is good. That file is replaced by a rename, so a process
that is killed, whenever that is, leaves one good directory, and maybe others that are dropped when
the database is opened the next time.
"""

import os
import re
import shutil
from pathlib import Path

from soulbox_core.errors import StoreError

_FIRST = "data"
_NAME = re.compile(r"data(?:-([1-9][0-9]{0,17}))?")
_CURRENT = "current"
_NEXT = "current.new"
_LONGEST = 64
"""More than any name has."""


def current_of(directory: Path) -> Path:
    """The directory that the database is in, which is not there before its first start.

    :raises StoreError: nobody can tell, or it is gone; a new one in its place would be without
        keys
    """
    others = _all_in(directory)
    try:
        with (directory / _CURRENT).open() as file:
            name = file.read(_LONGEST)
    except FileNotFoundError:
        name = _FIRST
        if not others:
            return directory / name
    except (OSError, UnicodeError):
        name = ""
    if name not in others:
        raise StoreError(
            f"the database in {directory} is not where the file {_CURRENT} says; restore it from a"
            " backup, or move it away to begin anew without its keys"
        )
    return directory / name


def successor_of(current: Path) -> Path:
    """The directory that it may move to. Whatever is there is dropped.

    :raises OSError: that cannot be
    """
    match = _NAME.fullmatch(current.name)
    number = int(match[1] or 0) if match else 0
    path = current.with_name(f"{_FIRST}-{number + 1}")
    if path.exists():
        shutil.rmtree(path)
    return path


def propose(path: Path) -> None:
    """Prepare that a directory be the one that the database is in, and have all of it on disk.

    :raises OSError: that failed
    """
    path.with_name(_NEXT).write_text(path.name)
    _sync(path.with_name(_NEXT))
    for where, _, names in os.walk(path):
        for name in names:
            _sync(Path(where) / name)
        _sync(where)
    _sync(path.parent)


def appoint(path: Path) -> None:
    """Have it be the one, at one stroke.

    :raises OSError: that failed, and the old one is it still
    """
    path.with_name(_NEXT).replace(path.with_name(_CURRENT))


def settle(path: Path) -> None:
    """Have that on disk.

    :raises OSError: that failed
    """
    _sync(path.parent)


def drop_others(directory: Path, current: Path) -> None:
    """Drop those that are not the good one."""
    for name in _all_in(directory) - {current.name}:
        drop(directory / name)


def drop(path: Path) -> None:
    """Drop a directory. What cannot be dropped is dropped when the database is opened again."""
    shutil.rmtree(path, ignore_errors=True)


def size_of(path: Path) -> int:
    """Bytes of the files in a directory.

    :raises OSError: it cannot be looked into
    """
    return sum(
        (Path(where) / name).stat().st_size for where, _, names in os.walk(path) for name in names
    )


def _sync(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _all_in(directory: Path) -> set[str]:
    with os.scandir(directory) as entries:
        return {entry.name for entry in entries if entry.is_dir() and _NAME.fullmatch(entry.name)}
