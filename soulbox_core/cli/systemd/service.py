"""The service as one that systemd starts: made so, and undone."""

import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from soulbox_core.cli.systemd import remains, unit
from soulbox_core.cli.systemd.places import NAME, Places
from soulbox_core.cli.systemd.systemctl import Systemctl
from soulbox_core.errors import HostError

_CONTROLLERS = ("cpu", "memory", "pids")
_UNSEEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - where the unit sees nothing
_SETTINGS = """\
# Settings of SoulBox, see docs/operating.md. Good from: systemctl restart soulbox
"""


def refuse(
    there: Places, program: Path, systemctl: Systemctl, *, root: bool, unified: bool
) -> None:
    """Look at what would keep the service from running.

    :param program: the `soulbox` to start
    :param root: whether we are
    :param unified: whether the host has cgroup v2 alone
    :raises HostError: it could not run; says what to do
    """
    if not os.access(program, os.X_OK):
        raise HostError(f"there is no {program}; give --program")
    if not unified:
        raise HostError(
            "this host has cgroup v1, which systemd does not delegate to a user: boot with"
            " systemd.unified_cgroup_hierarchy=1, or use scripts/serve"
        )
    if there.own:
        _need_controllers(systemctl)
        return
    need_root(root)
    if there.uid is None:
        raise HostError(
            f"there is no user {there.user}; scripts/install makes it, and all else that is missing"
        )
    if str(program.absolute()).startswith(_UNSEEN):
        raise HostError(
            f"the unit may not look into {program.parent}: install SoulBox where the service cannot"
            " write and all may read, such as /opt/soulbox; scripts/install does"
        )
    if changeable := _changeable(program.absolute(), there.uid):
        raise HostError(
            f"{changeable} can be written by others than root, who could change what the service"
            " runs: install SoulBox where only root writes, such as /opt/soulbox; scripts/install"
            " does"
        )


def _changeable(program: Path, uid: int) -> Path | None:
    """What the service's user could put something else for, of a program, its interpreter, the
    directories to both, and the virtual environment that they may be in; None: nothing."""
    user = pwd.getpwuid(uid)
    groups = os.getgrouplist(user.pw_name, user.pw_gid)
    for path in _parts(program):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            continue  # whoever may write to its directory may change it, and nobody else
        writers = stat.S_IWOTH | (stat.S_IWGRP if status.st_gid in groups else 0)
        others = status.st_mode & writers and not status.st_mode & stat.S_ISVTX
        if status.st_uid == uid or others:
            return path
    return None


def _parts(program: Path) -> Iterator[Path]:
    for file in (program, program.with_name("python3")):
        if file.exists():
            for path in (file, file.resolve()):
                yield from (path, *path.parents)
    environment = program.resolve().parents[1]
    if (environment / "pyvenv.cfg").exists():
        yield from environment.rglob("*")


def need_root(root: bool) -> None:
    """:raises HostError: we are not"""
    if not root:
        raise HostError("only root may change the host's services: use sudo, or give --user")


def install(there: Places, text: str, systemctl: Systemctl, *, force: bool = False) -> None:
    """Have the service started now and at each boot, as a unit says. If that fails at any step,
    what was there before is there again.

    :param text: the unit's
    :param force: even if the unit that is there was edited
    :raises HostError: it was edited, or the service does not start
    """
    before = there.unit.read_text() if there.unit.exists() else None
    if before is not None and not unit.is_as_written(before) and not force:
        raise HostError(
            f"{there.unit} was edited, or is not ours. Put what differs into a drop-in, which"
            f" stays: systemctl {'--user ' if there.own else ''}edit soulbox; then give --force"
        )
    _make_settings(there)
    if systemctl.ask("is-active", NAME) is None:
        remains.end_pause_process(there)
    try:
        _take(there, text, systemctl)
        systemctl.ask("reset-failed", NAME)  # it fails if there is nothing to forget
        systemctl.do("restart", NAME)
    except HostError as error:
        words = systemctl.last_words(NAME)
        what = _give_back(there, text, before, systemctl)
        raise HostError(
            f"the service does not start, and {what}. {error}. It said:\n{words}"
        ) from None


def uninstall(there: Places, systemctl: Systemctl) -> None:
    """Stop the service, and leave nothing of it but what it keeps: settings, drop-ins, state.

    :raises HostError: systemd does not do as it is told
    """
    if there.unit.exists():
        systemctl.do("disable", "--now", NAME)
        there.unit.unlink()
    systemctl.do("daemon-reload")
    systemctl.ask("reset-failed", NAME)
    remains.end_pause_process(there)
    remains.remove_runtime(there)


def _need_controllers(systemctl: Systemctl) -> None:
    """A user's systemd can delegate what it was given."""
    cgroup = systemctl.ask("show", "--property=ControlGroup", "--value") or ""
    file = Path(f"/sys/fs/cgroup{cgroup}/cgroup.controllers")
    given = file.read_text().split() if file.exists() else []
    missing = [each for each in _CONTROLLERS if each not in given]
    if missing:
        raise HostError(
            f"your systemd was not given the {', '.join(missing)} controller: as root, write"
            " [Service] and Delegate=cpu memory pids into"
            f" /etc/systemd/system/user@{os.getuid()}.service.d/soulbox.conf, reload systemd"
            " and log in again"
        )


def _make_settings(there: Places) -> None:
    """A settings file that the service may read and others may not: it may hold passwords."""
    if there.config.exists():
        return
    there.settings.mkdir(parents=True, exist_ok=True)
    there.config.touch(mode=0o600)
    there.config.write_text(_SETTINGS)
    for path, mode in ((there.settings, 0o750), (there.config, 0o640)):
        if not there.own:
            shutil.chown(path, group=there.user)
        path.chmod(mode)


def _take(there: Places, text: str, systemctl: Systemctl) -> None:
    unit.write(there.unit, text)
    systemctl.do("daemon-reload")
    systemctl.do("enable", NAME)


def _give_back(there: Places, text: str, before: str | None, systemctl: Systemctl) -> str:
    """Have what was there before; in words."""
    if before is None:
        systemctl.ask("disable", "--now", NAME)
        there.unit.unlink(missing_ok=True)
        systemctl.ask("daemon-reload")
        return "nothing was installed"
    if before != text:
        unit.write(there.unit, before)
        systemctl.ask("daemon-reload")
        if systemctl.ask("restart", NAME) is not None:
            return "the unit before it runs again"
    return "systemd goes on trying"
