"""The environment in which every `podman` command of this instance runs.

SoulBox keeps its own Podman configuration and storage under its state directory and points
Podman at them, so that neither the user's files nor the administrator's defaults can change how
cells are made, and `podman images` of the same user shows nothing of ours.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from soulbox_core.errors import HostError
from soulbox_core.settings import Settings

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME", "SOURCE_DATE_EPOCH")
_CGROUP_V2 = Path("/sys/fs/cgroup/cgroup.controllers")


def podman_environment(settings: Settings) -> dict[str, str]:
    """Write storage.conf and containers.conf and return the variables that select them.

    Cheap and idempotent: a file is replaced only when its text changed.

    :raises HostError: the state directory cannot be written, or no OCI runtime is installed
    """
    state = Path(settings.state_dir).absolute()
    storage, containers = state / "storage.conf", state / "containers.conf"
    runtime_dir = _runtime_dir(state)
    try:
        state.mkdir(parents=True, exist_ok=True)
        runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        stores = settings.images.stores
        _write(storage, _storage_conf(state / "storage", runtime_dir / "containers", stores))
        _write(containers, _containers_conf(settings.podman.runtime or oci_runtime()))
    except OSError as error:
        raise HostError(
            f"{error.filename}: {error.strerror}; make it writable for user id {os.getuid()} or "
            "set state_dir (and XDG_RUNTIME_DIR)"
        ) from None
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "PATH": _search_path(),
        "XDG_RUNTIME_DIR": str(runtime_dir),
        "CONTAINERS_STORAGE_CONF": str(storage),
        "CONTAINERS_CONF": str(containers),
        # Podman 5 would say so before each answer; which version it is, the host decided.
        "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
    }


def oci_runtime() -> str:
    """Choose crun on cgroup v2 and runc elsewhere: crun refuses a host that has both versions.

    :raises HostError: none that fits is installed; says what to run
    """
    fitting = ("crun", "runc") if _CGROUP_V2.exists() else ("runc",)
    for name in fitting:
        if shutil.which(name, path=_search_path()):
            return name
    raise HostError(f"no OCI runtime; run: apt-get install {fitting[0]}")


def _runtime_dir(state: Path) -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR")
    return Path(given) if given else state / "run"


def _search_path() -> str:
    """The caller's PATH, and the sbin directories that hold runc but are often not on it."""
    return os.pathsep.join(filter(None, (os.environ.get("PATH"), _SYSTEM_PATH)))


def _storage_conf(graphroot: Path, runroot: Path, stores: Sequence[str]) -> str:
    # Rootless Podman reads rootless_storage_path, not graphroot (containers-storage.conf(5)).
    # Never vfs: it copies the whole image for each container.
    return (
        "[storage]\n"
        'driver = "overlay"\n'
        f"graphroot = {json.dumps(str(graphroot))}\n"
        f"rootless_storage_path = {json.dumps(str(graphroot))}\n"
        f"runroot = {json.dumps(str(runroot))}\n"
        "[storage.options]\n"
        f"additionalimagestores = {json.dumps(list(stores))}\n"
    )


def _containers_conf(runtime: str) -> str:
    # log_driver: conmon's log file would grow with whatever the launcher prints.
    # pids_limit, cgroup_manager: the core sets every cgroup limit itself, in its own tree.
    return (
        "[containers]\n"
        'log_driver = "none"\n'
        "pids_limit = 0\n"
        "[engine]\n"
        f"runtime = {json.dumps(runtime)}\n"
        'cgroup_manager = "cgroupfs"\n'
        'events_logger = "none"\n'
    )


def _write(file: Path, text: str) -> None:
    """Replace a file by one rename, so that a running Podman never reads half of it."""
    if file.exists() and file.read_text() == text:
        return
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w") as temporary:
        temporary.write(text)
    os.replace(name, file)
