"""What is left on a host of a service that ran, where systemd does not remove it itself."""

import os
import shutil
import signal
from pathlib import Path

from soulbox_core.cli.systemd.places import Places

_PAUSE = "libpod/tmp/pause.pid"
"""Podman's, below the runtime directory: the process that keeps its user namespace."""
_LOCKS = "libpod_rootless_lock_{}"
"""Podman's shared memory, by the user's id."""


def end_pause_process(places: Places, proc: Path = Path("/proc")) -> bool:
    """End Podman's pause process of the service's user; whether there was one.

    One that was started outside of the unit, as for building images, would have the unit's
    containers see the host as it does, and stay when the unit ends. A user's own is let be: other
    containers of that user may need it.
    """
    if places.own:
        return False
    file = places.runtime / _PAUSE
    try:
        pid = int(file.read_text())
        process = os.pidfd_open(pid)  # what is looked at is what is ended
    except (OSError, ValueError):
        return False
    try:
        mine = (proc / str(pid)).stat().st_uid == places.uid
        called = (proc / str(pid) / "comm").read_text().strip()
        if not mine or not called.startswith(("podman", "catatonit")):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(process)
    file.unlink()  # Podman 4.3 does not get over a process that is gone
    return True


def remove_runtime(places: Places) -> None:
    """Remove what Podman and the service left in memory file systems."""
    if places.own or places.uid is None:
        return
    shutil.rmtree(places.runtime, ignore_errors=True)
    (places.shared_memory / _LOCKS.format(places.uid)).unlink(missing_ok=True)
