"""soulbox images: build, list and prune the images of the installed languages."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from soulbox_core import registry
from soulbox_core.cli.configuration import Changes, ConfigFile, StateDir, load
from soulbox_core.cli.progress import progress
from soulbox_core.errors import ImageError
from soulbox_core.images.catalog import Builder, image_tag, needed_tags
from soulbox_core.language import Language
from soulbox_core.settings import Settings

app = typer.Typer(
    name="images", help="Build, list and prune language images.", no_args_is_help=True
)

_MIB = 1 << 20
_TERMINATED = 128 + signal.SIGTERM


@app.command()
def build(
    languages: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Anew, with today's versions of all packages.")
    ] = False,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """Build what is missing; an interrupted build goes on where it stopped."""
    signal.signal(signal.SIGTERM, _exit)  # so that the tools are stopped and clean up
    settings = load(config, changes, state_dir=state_dir)
    chosen = _chosen(settings, languages or [])
    builder = Builder(settings)
    to_build = chosen if force else builder.missing(chosen)
    for one in chosen:
        if one not in to_build:
            typer.echo(f"✓ {image_tag(one)} is there")
    failures = [failure for one in to_build if (failure := _build(builder, one, force))]
    if failures:
        raise ImageError("\n".join(failures))


@app.command("list")
def list_images(
    config: ConfigFile = None, changes: Changes = None, state_dir: StateDir = None
) -> None:
    """List the images that were built here, and which of them are in use."""
    settings = load(config, changes, state_dir=state_dir)
    current = needed_tags(_chosen(settings, []))
    table = Table("image", "MiB", "built", "current", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for image in Builder(settings).store.list():
        built = datetime.fromtimestamp(image.created, UTC).strftime("%Y-%m-%d %H:%M")
        mark = "yes" if image.tag in current else ""
        table.add_row(image.tag, str(image.bytes // _MIB), built, mark)
    Console().print(table)


@app.command()
def bake(
    tar: Annotated[Path, typer.Argument(help="The file to write.")],
    languages: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """Write built images as a store that SoulBox's container image can carry."""
    settings = load(config, changes, state_dir=state_dir)
    chosen = _chosen(settings, languages or [])
    with progress("baking") as report:
        Builder(settings).bake(chosen, tar, report)
    typer.echo(f"✓ {tar} holds the images of {', '.join(one.name for one in chosen)}")


@app.command()
def prune(config: ConfigFile = None, changes: Changes = None, state_dir: StateDir = None) -> None:
    """Remove the images that no installed language needs any more."""
    settings = load(config, changes, state_dir=state_dir)
    removed, kept = Builder(settings).prune(_chosen(settings, []))
    for image in removed:
        typer.echo(f"removed {image.tag}")
    for image in kept:
        typer.echo(f"kept {image.tag}: a container uses it")


def _chosen(settings: Settings, names: list[str]) -> list[Language]:
    """The languages named, or all that are offered.

    :raises UnknownLanguage: one is not installed
    """
    installed = registry.load(settings)
    if not names:
        return list(installed.languages.values())
    return [installed.language(name) for name in names]


def _build(builder: Builder, language: Language, force: bool) -> str | None:
    """Build one image; return why that failed, so that the others get their turn."""
    begun = monotonic()
    with progress(language.name) as report:
        try:
            built = builder.build(language, report, force=force)
        except ImageError as error:
            return f"{language.name}: {error}"
    how = f"built in {monotonic() - begun:.1f} s" if built else "is there"
    typer.echo(f"✓ {image_tag(language)} {how}")
    return None


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(_TERMINATED)
