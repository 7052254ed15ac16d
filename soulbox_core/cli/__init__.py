"""The command line `soulbox`: one module per command.

Only the module of the command that was asked for is imported, so that `soulbox run` need not
wait for the server's libraries.
"""

import sys
from collections.abc import Iterable
from importlib import import_module

import typer

from soulbox_core.errors import SoulBoxError, StartupError

COMMANDS = (
    "serve",
    "run",
    "check",
    "images",
    "languages",
    "keys",
    "login",
    "export",
    "import",
    "new-plugin",
    "install-service",
    "uninstall-service",
)
_SHARED = {
    "export": "backup",
    "import": "backup",
    "install-service": "host_service",
    "uninstall-service": "host_service",
}
"""Modules with more commands than the one by whose name they would go."""
_FAILED = 1
_CANNOT_START = 2


def application(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """Assemble the command line from the modules of these commands."""
    app = typer.Typer(
        callback=root,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    modules = (_SHARED.get(name, name.replace("-", "_")) for name in commands)
    for module in dict.fromkeys(modules):
        app.add_typer(import_module(f"soulbox_core.cli.{module}").app)
    return app


def root() -> None:
    """Run untrusted code over HTTP, in milliseconds, behind hard limits."""


def main() -> None:
    """The console script. What we raise on purpose is a line for a person, not a traceback."""
    asked = [name for name in sys.argv[1:2] if name in COMMANDS]
    try:
        application(asked or COMMANDS)()
    except SoulBoxError as error:
        typer.echo(f"soulbox: {error}", err=True)
        sys.exit(_CANNOT_START if isinstance(error, StartupError) else _FAILED)
