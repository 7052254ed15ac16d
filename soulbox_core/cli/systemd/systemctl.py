"""Asking systemd, the host's or a user's own."""

import os
import re
import subprocess
from pathlib import Path

from soulbox_core.errors import HostError

_RUNS = Path("/run/systemd/system")
"""There if systemd is the host's init: sd_booted(3)."""
_VERSION = re.compile(r"systemd (\d+)")


class Systemctl:
    """Commands to systemd.

    :param user: to the calling user's own
    :raises HostError: it does not run
    """

    def __init__(self, *, user: bool = False, runs: Path = _RUNS) -> None:
        self._scope = ("--user",) if user else ()
        if not runs.is_dir():
            raise HostError(
                "systemd does not run here; scripts/serve runs the service in the foreground, and"
                " whatever starts services here can start that"
            )
        if user:
            # A shell that was got by su or sudo has no such variable.
            os.environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
            if self.ask("show-environment") is None:
                raise HostError(
                    "your own systemd does not run; log in, or run: sudo loginctl enable-linger"
                    f" {os.getuid()}"
                )

    def do(self, *arguments: str) -> None:
        """:raises HostError: it fails; with its own words"""
        done = self._run("systemctl", *arguments)
        if done.returncode:
            words = done.stderr.strip() or f"exit code {done.returncode}"
            raise HostError(f"systemctl {' '.join(arguments)}: {words}")

    def ask(self, *arguments: str) -> str | None:
        """What it prints; None if it fails."""
        done = self._run("systemctl", *arguments)
        return None if done.returncode else done.stdout.strip()

    def last_words(self, unit: str, lines: int = 15) -> str:
        """The end of what a unit said, as far as we may read it."""
        done = self._run(
            "journalctl", "--unit", unit, f"--lines={lines}", "--no-pager", "-o", "cat"
        )
        return done.stdout.rstrip()

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return _run(command, *self._scope, *arguments)
        except FileNotFoundError:
            raise HostError(f"no {command}; apt-get install systemd") from None


def version() -> int:
    """Systemd's; 0 if there is none."""
    try:
        said = _run("systemctl", "--version").stdout
    except FileNotFoundError:
        return 0
    found = _VERSION.match(said)
    return int(found[1]) if found else 0


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
