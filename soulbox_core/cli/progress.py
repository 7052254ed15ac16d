"""Shows how far a build is: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from soulbox_core.images.catalog import Report


@contextmanager
def progress(name: str) -> Iterator[Report]:
    """Give a `Report` that shows what it is told while the block lasts."""
    console = Console(stderr=True)
    if not console.is_interactive:
        yield lambda text, fraction: typer.echo(f"{name}: {text}", err=True)
        return
    columns = (
        TextColumn("{task.fields[name]}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0, name=name)

        def report(text: str, fraction: float) -> None:
            bar.update(task, description=escape(text), completed=fraction)

        yield report
