"""CPU time of callers, kept in a file over restarts."""

import asyncio
import logging
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from soulbox_core.quotas.book import Book

logger = logging.getLogger(__name__)

_BATCH_SECONDS = 1.0
"""How long what was added may be in memory alone: the most that a killed service forgets."""


class _Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in the file."""

    day: str
    seconds: dict[str, float]


class FileLedger:
    """A book in memory, written to a file behind it, whole and at once or not at all.

    :param file: made if it is not there; a damaged one is as good as none, and says so
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._book = _read(file)
        self._writing: asyncio.Task[None] | None = None
        self._dirty = False

    async def cpu_seconds(self, caller: str, day: str) -> float:
        """Seconds that a caller used on a day, as 2026-11-25 (UTC)."""
        return self._book.get(caller, day)

    def add(self, caller: str, day: str, seconds: float) -> None:
        """Charge a caller. The file follows a moment later."""
        self._book.add(caller, day, seconds)
        self._dirty = True
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Write what is not written yet."""
        if self._writing is not None:
            self._writing.cancel()
            with suppress(asyncio.CancelledError):
                await self._writing
        if self._dirty:
            await self._write()

    async def _write_soon(self) -> None:
        while self._dirty:
            await asyncio.sleep(_BATCH_SECONDS)
            # Shielded, so that there are never two at the same file.
            write = asyncio.ensure_future(self._write())
            try:
                await asyncio.shield(write)
            except asyncio.CancelledError:
                await write
                raise
        self._writing = None

    async def _write(self) -> None:
        self._dirty = False
        page = msgspec.json.encode(_Page(day=self._book.day, seconds=self._book.seconds))
        try:
            await asyncio.to_thread(_replace, self._file, page)
        except OSError as error:
            logger.warning("CPU time of callers is in memory alone: %s", error.strerror)


def _replace(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(descriptor)
    draft.replace(file)


def _read(file: Path) -> Book:
    try:
        page = msgspec.json.decode(file.read_bytes(), type=_Page)
    except FileNotFoundError:
        return Book()
    except (OSError, msgspec.MsgspecError, ValueError):
        logger.warning("%s is damaged: CPU time of callers begins at 0 again", file)
        return Book()
    return Book(page.day, page.seconds)
