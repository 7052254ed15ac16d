"""The options by which every command that needs settings gets them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from soulbox_core import settings
from soulbox_core.settings import Settings

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="SOULBOX_CONFIG", help="Settings as a TOML file."),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, such as pool.parked=8."),
]
StateDir = Annotated[
    str | None,
    typer.Option("--state-dir", metavar="DIR", help="Images and instance identity."),
]


def load(config: Path | None, changes: list[str] | None, **named: str | int | None) -> Settings:
    """Merge file, environment and flags.

    :param named: settings with a flag of their own; `server__port` is `server.port`
    :raises SettingsError: a key or value is wrong
    """
    flags = list(changes or ())
    for name, value in named.items():
        if value is not None:
            flags.append(f"{name.replace('__', '.')}={value}")
    return settings.load(config, os.environ, flags)


def instance_directory(ours: Settings) -> Path:
    """Where the instance that the settings name keeps what is its own."""
    return Path(ours.state_dir) / "instances" / ours.instance
