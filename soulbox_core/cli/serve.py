"""soulbox serve: run the service in the foreground."""

from typing import Annotated

import typer

from soulbox_core import app as service
from soulbox_core.cli.configuration import Changes, ConfigFile, StateDir, load

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 chooses a free one.")] = None,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """Run the service until SIGINT or SIGTERM."""
    service.serve(load(config, changes, server__host=host, server__port=port, state_dir=state_dir))
