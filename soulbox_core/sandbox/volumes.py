"""The operator's volumes, looked at before anybody relies on them."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from soulbox_core.errors import SettingsError

_FOR_OTHERS = stat.S_IROTH | stat.S_IXOTH
_MOUNT_POINT = 4
"""Field of a line of mountinfo (proc_pid_mountinfo(5))."""


def checked(volumes: Mapping[str, str], state_dir: Path) -> tuple[tuple[str, str], ...]:
    """Each volume's name and real directory.

    :param state_dir: the service's own, which no volume may hold
    :raises SettingsError: a volume cannot be one; says which and what to do
    """
    for name in volumes:
        for other in volumes:
            if other.startswith(f"{name}/"):
                raise SettingsError(
                    f"volumes: {other} would be inside of {name}; call one of them otherwise"
                )
    mounts = _mounts()
    own = Path(os.path.realpath(state_dir))
    return tuple((name, _directory(name, volumes[name], own, mounts)) for name in sorted(volumes))


def _directory(name: str, path: str, own: Path, mounts: list[Path]) -> str:
    if not path.startswith("/"):
        raise SettingsError(f"volumes.{name}: {path!r} is not an absolute path")
    real = Path(os.path.realpath(path))
    try:
        mode = real.stat().st_mode
    except OSError as error:
        raise SettingsError(f"volumes.{name}: {path}: {error.strerror}") from None
    if not stat.S_ISDIR(mode):
        raise SettingsError(f"volumes.{name}: {path} is not a directory")
    if not os.access(real, os.R_OK | os.X_OK):
        raise SettingsError(
            f"volumes.{name}: user id {os.getuid()}, which the service runs as, may not read {path}"
        )
    if mode & _FOR_OTHERS != _FOR_OTHERS:
        raise SettingsError(
            f"volumes.{name}: programs run as users of their own and may not read {path};"
            f" run: chmod -R o+rX {path}"
        )
    if real == own or real in own.parents or own in real.parents:
        raise SettingsError(f"volumes.{name}: {path} holds state_dir, or is in it")
    below = next((mount for mount in mounts if real in mount.parents), None)
    if below is not None:
        raise SettingsError(
            f"volumes.{name}: another file system is mounted at {below}, which programs would not"
            " see; make it a volume of its own"
        )
    return str(real)


def _mounts() -> list[Path]:
    """Where file systems are mounted."""
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    fields = (line.split()[_MOUNT_POINT] for line in lines)
    return [Path(os.fsdecode(field.decode("unicode_escape").encode("latin-1"))) for field in fields]
