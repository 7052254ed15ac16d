"""soulbox languages: what a service, or this installation, can run."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from soulbox_core import registry
from soulbox_core.cli import client
from soulbox_core.cli.client import KnownLanguage
from soulbox_core.cli.configuration import Changes, ConfigFile, load

app = typer.Typer()


@app.command()
def languages(
    url: client.Url = client.DEFAULT_URL,
    local: Annotated[
        bool, typer.Option("--local", help="Ask the installed plugins, not a service.")
    ] = False,
    config: ConfigFile = None,
    changes: Changes = None,
) -> None:
    """List the languages, as a table."""
    if local:
        installed = registry.load(load(config, changes))
        known = [
            KnownLanguage(
                name=language.name,
                title=language.title,
                aliases=language.aliases,
                preloads=language.preloads,
                source_file=language.source_file,
            )
            for language in installed.languages.values()
        ]
        faults = [f"{fault.plugin}: {fault.detail}" for fault in installed.faults]
    else:
        with client.connect(url) as http:
            answer = client.languages(http)
        known = list(answer.languages)
        faults = [f"{fault.plugin}: {fault.detail}" for fault in answer.faults]
    _show(known, faults)


def _show(known: list[KnownLanguage], faults: list[str]) -> None:
    table = Table("name", "title", "version", "aliases", "preloads", box=None, pad_edge=False)
    for one in known:
        state = one.version or ("" if one.ready else "not ready")
        table.add_row(one.name, one.title, state, " ".join(one.aliases), " ".join(one.preloads))
    Console().print(table)
    for fault in faults:
        typer.echo(f"plugin {fault}", err=True)
