"""soulbox new-plugin: write the skeleton of a language plugin, which works as it is."""

import re
from collections.abc import Mapping
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from soulbox_core.language import NAME
from soulbox_core.model import Value

app = typer.Typer()

_SKELETON = Path(__file__).with_name("skeleton")
_RULE = "a lower-case letter, then up to 31 of a-z 0-9 + _ -"
_PLACE = re.compile(r"@(\w+)@")
_CORE = "soulbox-core"
_GROUP = "soulbox"
"""Of the plugins' entry points, soulbox_core.hookspecs.PROJECT."""


class Kind(StrEnum):
    """What the skeleton's language is, until its author makes it another."""

    RUN = "run"
    """bash, started anew for each run."""
    COMPILE = "compile"
    """bash, with a compile step."""
    BOOT = "boot"
    """Python, booted ahead of time in parked cells."""


class Plugin(Value):
    """What the files of a plugin are called, and the names in them."""

    name: str
    """Of the language."""
    short: str
    """The same, as far as a package on PyPI may be called so: c++ is cpp."""

    @property
    def distribution(self) -> str:
        return f"soulbox-{self.short}"

    @property
    def package(self) -> str:
        return f"soulbox_{self.short.replace('-', '_')}"

    def places(self) -> Mapping[str, str]:
        """What stands in the skeleton as @word@, by the word."""
        return {
            "name": self.name,
            "title": self.name.capitalize(),
            "short": self.short,
            "distribution": self.distribution,
            "package": self.package,
            "constant": self.short.replace("-", "_").upper(),
            "class": "".join(part.capitalize() for part in self.short.split("-")),
            "core": f"{_CORE}{_compatible(metadata.version(_CORE))}",
        }


@app.command()
def new_plugin(
    name: Annotated[str, typer.Argument(help=f"Of the language: {_RULE}.")],
    directory: Annotated[
        Path | None, typer.Option(help="To make; soulbox-NAME if not given.", show_default=False)
    ] = None,
    kind: Annotated[
        Kind, typer.Option(help="A plain run, a compile step, or a runtime booted ahead of time.")
    ] = Kind.RUN,
) -> None:
    """Write the skeleton of a language plugin: a package to install, try, and edit."""
    plugin = Plugin(name=name, short=_short(name))
    directory = directory or Path(plugin.distribution)
    _write(_files(plugin, kind), directory)
    _say_what_is_next(plugin, kind, directory)


def _short(name: str) -> str:
    """:raises typer.BadParameter: no language can have that name, or a plugin is called so"""
    if not NAME.fullmatch(name):
        raise typer.BadParameter(f"{name!r}: a language's name is {_RULE}", param_hint="NAME")
    short = re.sub(r"[^a-z0-9]+", "-", name.replace("+", "p")).strip("-")
    if short in metadata.entry_points(group=_GROUP).names:
        raise typer.BadParameter(
            f"{name!r}: a plugin of that name is installed; soulbox would not load a second",
            param_hint="NAME",
        )
    return short


def _files(plugin: Plugin, kind: Kind) -> dict[str, str]:
    """Every file's text, by its path."""
    package = plugin.package
    parts = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{package}/__init__.py": f"{kind}.py",
        f"{package}/py.typed": "py.typed",
        "tests/test_conformance.py": f"test_{kind}.py",
    }
    if kind is Kind.BOOT:
        parts[f"{package}/image/boot.py"] = "image_boot.py"
    places = plugin.places()
    return {path: _filled(part, places) for path, part in parts.items()}


def _filled(part: str, places: Mapping[str, str]) -> str:
    # Not called *.py there, for it is none before its places are filled.
    text = (_SKELETON / f"{part}.in").read_text()
    return _PLACE.sub(lambda place: places[place[1]], text)


def _write(files: Mapping[str, str], directory: Path) -> None:
    """:raises typer.BadParameter: something is there, or nothing can be written there"""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise typer.BadParameter(
                f"{directory} is not empty; name another directory", param_hint="--directory"
            )
        for path, text in files.items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    except OSError as error:
        raise typer.BadParameter(
            f"{error.filename}: {str(error.strerror).lower()}", param_hint="--directory"
        ) from None


def _say_what_is_next(plugin: Plugin, kind: Kind, directory: Path) -> None:
    runs = "Python" if kind is Kind.BOOT else "bash"
    hello = 'print("Hello, World!")' if kind is Kind.BOOT else 'echo "Hello, World!"'
    typer.echo(
        f"""\
Wrote {directory}. It runs {runs} under the name {plugin.name}, to see it work:

  python3 -m pip install -e {directory}
  soulbox images build {plugin.name}
  soulbox serve

and in another terminal:

  curl --data-binary '{hello}' localhost:8000/v1/run/{plugin.name}
  SOULBOX_URL=http://localhost:8000 python3 -m pytest {directory}

Then make it your language's: edit {directory / plugin.package / "__init__.py"}
and the programs in {directory / "tests"}. docs/plugins.md says what each field does, and
docs/tutorial.md goes the whole way."""
    )


def _compatible(version: str) -> str:
    """The versions of the core for which this one's contract holds.

    Before 1.0 the second number is the one that stands for a break.
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    after = f"{major + 1}" if major else f"0.{minor + 1}"
    return f">={major}.{minor},<{after}"
