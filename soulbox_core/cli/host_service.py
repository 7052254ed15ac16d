"""soulbox install-service and uninstall-service: have systemd start the service, or no more."""

import os
from pathlib import Path
from typing import Annotated

import typer

from soulbox_core.cli.systemd import places, service
from soulbox_core.cli.systemd.places import NAME
from soulbox_core.cli.systemd.systemctl import Systemctl, version

app = typer.Typer()

_UNIFIED = Path("/sys/fs/cgroup/cgroup.controllers")
_TRY = "  curl "
"""How the line begins by which the service says how to try it."""

Own = Annotated[
    bool, typer.Option("--user", help="For the calling user's own systemd, without root.")
]
Runs = Annotated[str, typer.Option("--as", metavar="USER", help="The system user whom it runs as.")]


@app.command()
def install_service(
    own: Own = False,
    as_user: Runs = places.HOST_USER,
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
    there = places.of_caller() if own else places.of_host(as_user)
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
    said = systemctl.last_words(NAME).splitlines()
    for line in [line for line in said if line.startswith(_TRY)][-1:]:
        typer.echo(line)


@app.command()
def uninstall_service(own: Own = False, as_user: Runs = places.HOST_USER) -> None:
    """Stop the service and have systemd start it no more. Its settings and state stay."""
    there = places.of_caller() if own else places.of_host(as_user)
    systemctl = Systemctl(user=own)
    if not own:
        service.need_root(os.geteuid() == 0)
    service.uninstall(there, systemctl)
    kept = [path for path in (there.settings, there.drop_ins, there.state) if path.exists()]
    typer.echo(f"✓ {NAME} is gone; what it keeps stays: {', '.join(map(str, kept)) or 'nothing'}")
