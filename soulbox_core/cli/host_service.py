"""soulbox install-service and uninstall-service: have systemd start the service, or no more."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from soulbox_core.cli.systemd import places, remains, unit
from soulbox_core.cli.systemd.places import NAME, Places
from soulbox_core.cli.systemd.systemctl import Systemctl
from soulbox_core.errors import HostError

app = typer.Typer()

_CGROUP_V2 = Path("/sys/fs/cgroup/cgroup.controllers")
_CONTROLLERS = ("cpu", "memory", "pids")
_UNSEEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - where the unit sees nothing
_SETTINGS = """\
# Settings of SoulBox, see docs/operating.md. Good from: systemctl restart soulbox
"""
_TRY = "  curl "
"""How the line begins by which the service says how to try it."""

Own = Annotated[
    bool, typer.Option("--user", help="For the calling user's own systemd, without root.")
]
Runs = Annotated[str, typer.Option("--as", metavar="USER", help="The system user whom it runs as.")]


@app.command()
def install_service(
    own: Own = False,
    as_user: Runs = "soulbox",
    program: Annotated[
        Path | None,
        typer.Option(
            help="The soulbox to start, if not the one that runs now.", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a unit that was edited, or is another's.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the unit and change nothing.")
    ] = False,
) -> None:
    """Have systemd start the service now and at each boot; again after an upgrade."""
    there = places.of_caller() if own else places.of_host(as_user)
    text = there.contents(program or places.this_program()).text()
    if dry_run:
        typer.echo(text, nl=False)
        return
    systemctl = Systemctl(user=own)
    _refuse(there, program or places.this_program(), systemctl)
    before = there.unit.read_text() if there.unit.exists() else None
    if before is not None and not unit.is_as_written(before) and not force:
        raise HostError(
            f"{there.unit} was edited, or is not ours. Put what differs into a drop-in, which"
            f" stays: systemctl {'--user ' if own else ''}edit soulbox; then give --force"
        )
    _make_settings(there)
    if systemctl.ask("is-active", NAME) is None:
        remains.end_pause_process(there)
    _start(there, text, before, systemctl)
    words = systemctl.last_words(NAME).splitlines()
    status = systemctl.ask("show", "--property=StatusText", "--value", NAME)
    typer.echo(f"✓ {NAME} serves {status}. Try:")
    for line in [word for word in words if word.startswith(_TRY)][-1:]:
        typer.echo(line)


@app.command()
def uninstall_service(
    own: Own = False,
    as_user: Runs = "soulbox",
    purge: Annotated[
        bool,
        typer.Option(
            "--purge", help="Also its settings, drop-ins and state: keys, images, records."
        ),
    ] = False,
) -> None:
    """Stop the service and have systemd start it no more. What it keeps stays, unless purged."""
    there = places.of_caller() if own else places.of_host(as_user)
    systemctl = Systemctl(user=own)
    if not own:
        _need_root()
    if there.unit.exists():
        systemctl.do("disable", "--now", NAME)
        there.unit.unlink()
    if purge:
        shutil.rmtree(there.drop_ins, ignore_errors=True)
        shutil.rmtree(there.settings, ignore_errors=True)
    systemctl.do("daemon-reload")
    systemctl.ask("reset-failed", NAME)  # it fails if there is nothing to forget
    remains.end_pause_process(there)
    remains.remove_runtime(there)
    typer.echo(f"✓ {NAME} is gone")
    if purge:
        remains.remove_state(there)
        typer.echo(f"✓ so are {there.settings} and {there.state}")
    else:
        typer.echo(f"  {there.settings} and {there.state} stay; --purge removes them")


def _refuse(there: Places, program: Path, systemctl: Systemctl) -> None:
    """:raises HostError: it could not run here; says what to do"""
    if not os.access(program, os.X_OK):
        raise HostError(f"there is no {program}; give --program")
    if not _CGROUP_V2.exists():
        raise HostError(
            "this host has cgroup v1, which systemd does not delegate to a user: boot with"
            " systemd.unified_cgroup_hierarchy=1, or use scripts/serve"
        )
    if there.own:
        _need_controllers(systemctl)
        return
    _need_root()
    if there.uid is None:
        raise HostError(
            f"there is no user {there.user}; scripts/install makes it, and all else that is missing"
        )
    if str(program.absolute()).startswith(tuple(f"{place}/" for place in _UNSEEN)):
        raise HostError(
            f"the unit may not look into {program}: install SoulBox where the service cannot write"
            " and all may read, such as /opt/soulbox; scripts/install does"
        )


def _need_root() -> None:
    if os.geteuid():
        raise HostError("only root may change the host's services: use sudo, or give --user")


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
            " /etc/systemd/system/user@.service.d/soulbox.conf, reload systemd and log in again"
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
            shutil.chown(path, "root", there.user)
        path.chmod(mode)


def _start(there: Places, text: str, before: str | None, systemctl: Systemctl) -> None:
    """Start the service as the unit says; if that fails have what was there before.

    :raises HostError: it does not start; with its last words
    """
    _take(there, text, systemctl)
    systemctl.ask("reset-failed", NAME)
    try:
        systemctl.do("restart", NAME)
    except HostError:
        words = systemctl.last_words(NAME)
        if before is None:
            systemctl.ask("disable", "--now", NAME)
            there.unit.unlink(missing_ok=True)
            systemctl.do("daemon-reload")
            what = "nothing was installed"
        else:
            _take(there, before, systemctl)
            back = before != text and systemctl.ask("restart", NAME) is not None
            what = "the unit before it runs again" if back else "systemd goes on trying"
        raise HostError(f"the service does not start, and {what}. It said:\n{words}") from None


def _take(there: Places, text: str, systemctl: Systemctl) -> None:
    unit.write(there.unit, text)
    systemctl.do("daemon-reload")
    systemctl.do("enable", NAME)
