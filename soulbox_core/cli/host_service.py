"""soulbox install-service and uninstall-service: have systemd start the service, or no more."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from soulbox_core.cli.systemd import places, service
from soulbox_core.cli.systemd.places import NAME
from soulbox_core.cli.systemd.systemctl import Systemctl, version

app = typer.Typer()

_UNIFIED = Path("/sys/fs/cgroup/cgroup.controllers")
_TRY = re.compile(r"^  curl .*?/v1/run/\S+$", re.MULTILINE | re.DOTALL)
"""The command by which the service says how to try it; the program in it may be of many lines."""
_SAID_LINES = 60

Own = Annotated[
    bool, typer.Option("--user", help="For the calling user's own systemd, without root.")
]


@app.command()
def install_service(
    own: Own = False,
    program: Annotated[
        Path | None, typer.Option(help="The soulbox to start, if not this one.", show_default=False)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a unit that was edited, or is another's.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the unit and change nothing.")
    ] = False,
) -> None:
    """Have systemd start the service now and at each boot; again after an upgrade."""
    there = places.of_caller() if own else places.of_host()
    program = program or places.this_program()
    text = there.contents(program, version()).text()
    if dry_run:
        typer.echo(text, nl=False)
        return
    systemctl = Systemctl(user=own)
    service.refuse(there, program, systemctl, root=os.geteuid() == 0, unified=_UNIFIED.exists())
    service.install(there, text, systemctl, force=force)
    status = systemctl.ask("show", "--property=StatusText", "--value", NAME)
    typer.echo(f"✓ {NAME} serves {status}. Try:")
    commands = _TRY.findall(systemctl.last_words(NAME, _SAID_LINES))
    typer.echo("\n".join(commands[-1:]))


@app.command()
def uninstall_service(own: Own = False) -> None:
    """Stop the service and have systemd start it no more. Its settings and state stay."""
    there = places.of_caller() if own else places.of_host()
    systemctl = Systemctl(user=own)
    if not own:
        service.need_root(os.geteuid() == 0)
    service.uninstall(there, systemctl)
    kept = [path for path in (there.settings, there.drop_ins, there.state) if path.exists()]
    typer.echo(f"✓ {NAME} is gone; what it keeps stays: {', '.join(map(str, kept)) or 'nothing'}")
