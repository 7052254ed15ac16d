"""soulbox export and soulbox import: the whole database as one file, and back."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile, mkstemp
from typing import Annotated, Any, BinaryIO

import typer

from soulbox_core.cli.backup_file import BackupError, BackupWriter, Contents, contents, rows
from soulbox_core.cli.configuration import (
    Changes,
    ConfigFile,
    StateDir,
    instance_directory,
    load,
)
from soulbox_core.identity.running import DATABASE
from soulbox_core.settings import Settings
from soulbox_core.store.migrations import VERSION
from soulbox_core.store.opening import Stores, open_database

app = typer.Typer()

_STANDARD = Path("-")
_BATCH = 500
"""Records that are written at one stroke."""


@app.command("export")
def export_database(
    file: Annotated[Path, typer.Argument(help="Where to; - is stdout.")] = _STANDARD,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """Write everything that the database keeps into one file, for a backup.

    The service must be stopped, unless the database is on a server. The file has no key or token
    in it, and all that is kept of runs: who can read it can read that.
    """
    settings = load(config, changes, state_dir=state_dir)
    with _failures(file), _target(file) as target:
        count = asyncio.run(_export(settings, target))
    typer.echo(f"exported {count} records", err=True)


@app.command("import")
def import_database(
    file: Annotated[Path, typer.Argument(help="Where from; - is stdin.")] = _STANDARD,
    replace_existing: Annotated[
        bool,
        typer.Option(
            "--replace-existing",
            help="Write into a database with keys; records with the same id are replaced.",
        ),
    ] = False,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """Write a backup into the database, once it is known to be whole.

    The service must be stopped, unless the database is on a server. What is there and not in the
    backup stays. A key that was revoked after the backup was made is good again.
    """
    settings = load(config, changes, state_dir=state_dir)
    with _failures(file), _source(file) as source:
        found = contents(source, VERSION)
        asyncio.run(_import(settings, source, found, replace_existing))
    typer.echo(f"imported {sum(found.rows.values())} records", err=True)


async def _export(settings: Settings, target: BinaryIO) -> int:
    async with _opened(settings) as database:
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        writer = BackupWriter(target, VERSION, at)
        async for table, row in database.dump.rows():
            writer.row(table, row)
        writer.end()
        return writer.rows


async def _import(
    settings: Settings, source: BinaryIO, found: Contents, replace_existing: bool
) -> None:
    async with _opened(settings) as database:
        keys = len(await database.identities.keys())
        if keys and not replace_existing:
            raise BackupError(
                f"the database has {keys} API keys already, and nothing was written; with"
                " --replace-existing the records of the backup take the place of those with the"
                " same ids, all others stay, and what was revoked since is good again"
            )
        _announce(found, keys)
        for table, batch in _batches(source):
            await database.dump.put(table, batch)


def _announce(found: Contents, keys: int) -> None:
    """Say what is about to be written."""
    tables = ", ".join(f"{count} of {table}" for table, count in found.rows.items()) or "none"
    typer.echo(f"backup of {found.header.at}, records: {tables}", err=True)
    if keys:
        typer.echo(
            "they take the place of those with the same ids, all others stay; keys that were"
            " revoked since are good again: revoke them anew",
            err=True,
        )


def _batches(source: BinaryIO) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The records of a backup, as many of one table as are written at one stroke."""
    for table, group in groupby(rows(source), key=lambda row: row.table):
        while batch := [row.row for row in islice(group, _BATCH)]:
            yield table, batch


def _opened(settings: Settings) -> AbstractAsyncContextManager[Stores]:
    return open_database(settings.database, instance_directory(settings) / DATABASE)


@contextmanager
def _failures(file: Path) -> Iterator[None]:
    """Say which file it is that cannot be used."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{error.filename or file}: {error.strerror}") from None


@contextmanager
def _target(file: Path) -> Iterator[BinaryIO]:
    """Where a backup goes: under its name when it is whole, and never for others to read."""
    if file == _STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if file.exists() and not file.is_file():
        raise BackupError(f"{file} is no file; export to - and send that there")
    descriptor, draft = mkstemp(prefix=f".{file.name}.", dir=file.parent)
    with ExitStack() as undo:
        undo.callback(Path(draft).unlink, missing_ok=True)
        with open(descriptor, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        Path(draft).replace(file)
        undo.pop_all()


@contextmanager
def _source(file: Path) -> Iterator[BinaryIO]:
    """A backup that can be read twice."""
    if file != _STANDARD:
        with open(file, "rb") as opened:
            if not file.is_file():
                raise BackupError(f"{file} is no file; send it to - instead")
            yield opened
        return
    if sys.stdin.isatty():
        raise BackupError("name a file, or send a backup to stdin")
    with TemporaryFile() as spool:
        copyfileobj(sys.stdin.buffer, spool)
        yield spool
