"""One process at a time: the engine takes no lock of its own."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soulbox_core.errors import StoreError

_LOCK = "lock"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Have a directory for this process alone, for the time of the context.

    :raises StoreError: another process has it
    """
    lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"another process has the database in {directory} open; use the running service,"
                " or stop it first"
            ) from None
        yield
    finally:
        os.close(lock)


def is_open(directory: Path) -> bool:
    """Whether a process has it."""
    try:
        with locked(directory):
            return False
    except FileNotFoundError:
        return False
    except StoreError:
        return True
