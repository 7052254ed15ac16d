"""Bring the files back that a request asked for."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Annotated, BinaryIO

import msgspec

from soulbox_core.errors import CellLost
from soulbox_core.model import OutputFile, Value

MANY_FILES = 50_000
"""Most files of a tree that goes to disk."""
TREE_SECONDS = 120.0
"""Longest that writing one may take."""
HARVEST_SECONDS = 10.0
"""Longest that reading the files may take; what a program can prepare to slow it is bounded."""
_READ_BYTES = 1 << 18
_HEADER_BYTES = 1 << 16
_COPIERS = ThreadPoolExecutor(4, thread_name_prefix="harvest")
"""Their own, since a copy takes its time and others must not wait for it."""
_OVERHEAD_BYTES = 2 << 20
"""Room for the headers of the most files that the launcher sends, with the longest paths."""


class Harvest(Value):
    """What the launcher found."""

    files: tuple[OutputFile, ...]
    missing: tuple[str, ...]
    skipped: tuple[str, ...]


class _Line(msgspec.Struct):
    """What the launcher says before each file, and at the end."""

    path: str | None = None
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    missing: tuple[str, ...] | None = None
    skipped: tuple[str, ...] | None = None

    def end(self, files: tuple[OutputFile, ...]) -> Harvest:
        """:raises ValueError: it is not the last line"""
        if self.missing is None or self.skipped is None:
            raise ValueError("no last line")
        return Harvest(files=files, missing=self.missing, skipped=self.skipped)


_line = msgspec.json.Decoder(_Line).decode
_GARBLED = (OSError, ValueError, RecursionError)
"""What comes of reading what is not as agreed. The launcher's reader is no program of the user's,
but it works in the cell."""


class Reader:
    """A pipe, and what comes through it.

    :param budget: most bytes of content
    """

    def __init__(self, budget: int) -> None:
        self._most = budget + _OVERHEAD_BYTES
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC)

    async def read(self) -> Harvest:
        """Read to the end, once the launcher has the write end.

        :raises CellLost: it did not come in time, or not as agreed
        """
        os.close(self.write_end)
        self.write_end = -1
        try:
            async with asyncio.timeout(HARVEST_SECONDS):
                return _parse(await self._read())
        except TimeoutError:
            raise CellLost(f"not done in {HARVEST_SECONDS:g} s") from None
        except _GARBLED as error:
            raise CellLost(f"they came garbled: {error}") from None

    async def read_into(self, directory: Path) -> Harvest:
        """The same, but each file goes below a directory as it comes; the harvest has none.

        :raises CellLost: it did not come in time, or not as agreed; some files may be there
        """
        os.close(self.write_end)
        self.write_end = -1
        pipe = os.fdopen(self._read_end, "rb", _READ_BYTES)
        self._read_end = -1  # the pipe's
        target = _Target(directory)
        copying = _COPIERS.submit(_copy, pipe, target, self._most)
        try:
            async with asyncio.timeout(TREE_SECONDS):
                return await asyncio.wrap_future(copying)
        except TimeoutError:
            raise CellLost(f"not done in {TREE_SECONDS:g} s") from None
        except _GARBLED as error:
            raise CellLost(f"they came garbled: {error}") from None
        finally:
            target.close()
            if copying.cancelled():
                pipe.close()  # nobody else will

    def close(self) -> None:
        """Give up what is still open."""
        for descriptor in (self._read_end, self.write_end):
            if descriptor >= 0:
                os.close(descriptor)
        self._read_end = self.write_end = -1

    async def _read(self) -> bytes:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=1 << 20)
        pipe = os.fdopen(self._read_end, "rb", 0)
        self._read_end = -1  # the pipe's, which its transport closes
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            content = bytearray()
            while chunk := await reader.read(1 << 18):
                content += chunk
                if len(content) > self._most:
                    raise ValueError(f"more than {self._most} bytes")
            return bytes(content)
        finally:
            transport.close()


class _Target:
    """The directory that takes files, until it is closed: what its owner then deletes must not
    come back."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = Lock()
        self._open = True

    def create(self, parts: list[str]) -> BinaryIO:
        """Make a file. Called by the thread that copies."""
        path = self._directory.joinpath(*parts)
        with self._lock:
            if not self._open:
                raise ValueError("called off")
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open("xb")

    def close(self) -> None:
        with self._lock:
            self._open = False


def _copy(pipe: BinaryIO, target: _Target, most: int) -> Harvest:
    """Read what `_parse` does, from a pipe whose end comes when the cell is dead at the latest."""
    with pipe:
        while header := pipe.readline(_HEADER_BYTES):
            line = _line(header)
            if line.path is None or line.size is None:
                return line.end(())
            parts, size = line.path.split("/"), line.size
            most -= size
            if most < 0 or any(part in ("", ".", "..") for part in parts):
                raise ValueError("more than agreed, or a path that leads out")
            with target.create(parts) as file:
                while size and (data := pipe.read(min(size, _READ_BYTES))):
                    size -= len(data)
                    file.write(data)
            if size:
                break
    raise ValueError("cut short")


def _parse(content: bytes) -> Harvest:
    """A JSON line and so many bytes for each file, then a JSON line for what did not come."""
    files: list[OutputFile] = []
    start = 0
    while True:
        end = content.index(b"\n", start)
        line = _line(content[start:end])
        if line.path is None or line.size is None:
            return line.end(tuple(files))
        start = end + 1 + line.size
        if start > len(content):
            raise ValueError(f"{line.path} is cut short")
        files.append(OutputFile(path=line.path, content=content[end + 1 : start]))
