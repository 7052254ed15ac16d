"""One instance of the service: its identity, its lock, its runtime directory.

Several instances may share a state directory, and with it the images, each under a name.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from soulbox_core.errors import HostError

_ID_BYTES = 4
_SOCKET_PATH_BYTES = 107
"""sun_path holds 108 bytes with its end (unix(7))."""
_LONGEST_SOCKET = "python-12345678/launcher.sock"


class Instance:
    """Holds `<state_dir>/instances/<name>` for this process alone.

    The id survives restarts, so that what a killed process left can be told from what belongs
    to others, on this host or another.

    :raises HostError: another process holds it, or it cannot be written
    """

    def __init__(self, state_dir: Path, name: str) -> None:
        directory = state_dir / "instances" / name
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = open(directory / "lock", "a")  # noqa: SIM115, held for life
        except OSError as error:
            raise HostError(
                f"{error.filename}: {error.strerror}; set state_dir to a directory that user id"
                f" {os.getuid()} can write"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise HostError(
                f"instance {name!r} in {state_dir} is running already; stop it, or set instance"
                " to another name"
            ) from None
        self.directory = directory
        self.store_dir = directory / "store"
        self.id = _id(directory / "id")
        self.run_dir = _run_dir(self.id)

    def close(self) -> None:
        """Remove the runtime directory and let another process have the state directory."""
        shutil.rmtree(self.run_dir, ignore_errors=True)
        self._lock.close()


def _id(file: Path) -> str:
    if not file.exists():
        file.write_text(secrets.token_hex(_ID_BYTES))
    return file.read_text().strip()


def _run_dir(instance: str) -> Path:
    """A fresh directory, emptied of what an earlier life left, with a path short for sockets."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    directory = Path(base) / f"soulbox-{instance}"
    if len(os.fsencode(directory / _LONGEST_SOCKET)) > _SOCKET_PATH_BYTES:
        directory = Path(tempfile.gettempdir()) / f"soulbox-{instance}"
    shutil.rmtree(directory, ignore_errors=True)
    try:
        directory.mkdir(mode=0o700)
    except OSError as error:
        raise HostError(f"cannot make {directory}: {error.strerror}") from None
    return directory
