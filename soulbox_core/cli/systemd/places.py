"""Where a service that systemd starts has what is its own."""

import os
import pwd
import sys
from pathlib import Path

from soulbox_core.cli.systemd.unit import Unit
from soulbox_core.model import Value

NAME = "soulbox.service"
_HOST_USER = "soulbox"


class Places(Value):
    """Of the host's service, or of a user's own."""

    user: str
    """Whom it runs as."""
    uid: int | None
    """None: there is no such user."""
    own: bool
    """Whether it is a user's own."""
    unit: Path
    settings: Path
    """Directory with the settings file and the file with variables."""
    state: Path
    runtime: Path
    """Podman's pid file is below it; the host's service has it to itself."""
    shared_memory: Path = Path("/dev/shm")  # noqa: S108 - it is Podman who writes there

    @property
    def config(self) -> Path:
        return self.settings / "soulbox.toml"

    @property
    def environment(self) -> Path:
        return self.settings / "soulbox.env"

    @property
    def drop_ins(self) -> Path:
        """What `systemctl edit` makes."""
        return self.unit.with_name(f"{self.unit.name}.d")

    def contents(self, program: Path, version: int) -> Unit:
        """What the unit says.

        :param program: the `soulbox` that it starts
        :param version: systemd's
        """
        return Unit(
            template="user" if self.own else "system",
            program=str(program),
            config=str(self.config),
            environment=str(self.environment),
            user=self.user,
            state=str(self.state),
            version=version,
        )


def of_host(user: str = _HOST_USER) -> Places:
    """Of the service that the host's systemd starts."""
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError:
        uid = None
    return Places(
        user=user,
        uid=uid,
        own=False,
        unit=Path("/etc/systemd/system") / NAME,
        settings=Path("/etc/soulbox"),
        state=Path("/var/lib/soulbox"),
        runtime=Path("/run/soulbox"),
    )


def of_caller() -> Places:
    """Of the service that the calling user's own systemd starts."""
    uid = os.getuid()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Places(
        user=pwd.getpwuid(uid).pw_name,
        uid=uid,
        own=True,
        unit=config / "systemd" / "user" / NAME,
        settings=config / "soulbox",
        state=data / "soulbox",
        runtime=Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}"),
    )


def this_program() -> Path:
    """The `soulbox` of the environment that this process runs in."""
    return Path(sys.prefix) / "bin" / "soulbox"
