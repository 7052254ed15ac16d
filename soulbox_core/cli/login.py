"""soulbox login: keep a key for the commands that talk to a service."""

import sys

import typer

from soulbox_core.cli import client, credentials

app = typer.Typer()


@app.command()
def login(url: client.Url = client.DEFAULT_URL) -> None:
    """Ask for an API key, or read one from stdin, try it, and keep it for this service."""
    key = typer.prompt("API key", hide_input=True, err=True) if _is_person() else sys.stdin.read()
    key = key.strip()
    with client.connect(url, key) as http:
        client.languages(http)  # or it is told why it is no good
    file = credentials.keep(url, key)
    typer.echo(f"kept for {url} in {file}", err=True)


def _is_person() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
