"""Bring the files back that a request asked for."""

import asyncio
import os
from typing import Any

import msgspec

from soulbox_core.errors import CellLost
from soulbox_core.model import OutputFile, Value

HARVEST_SECONDS = 10.0
"""Longest that reading the files may take; what a program can prepare to slow it is bounded."""
_OVERHEAD_BYTES = 2 << 20
"""Room for the headers of the most files that the launcher sends, with the longest paths."""


class Harvest(Value):
    """What the launcher found."""

    files: tuple[OutputFile, ...]
    missing: tuple[str, ...]
    skipped: tuple[str, ...]


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
        except (ValueError, KeyError, TypeError) as error:
            raise CellLost(f"they came garbled: {error}") from None

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


def _parse(content: bytes) -> Harvest:
    """A JSON line and so many bytes for each file, then a JSON line for what did not come."""
    files: list[OutputFile] = []
    start = 0
    while True:
        end = content.index(b"\n", start)
        header: dict[str, Any] = msgspec.json.decode(content[start:end])
        if "path" not in header:
            missing, skipped = tuple(header["missing"]), tuple(header["skipped"])
            return Harvest(files=tuple(files), missing=missing, skipped=skipped)
        start = end + 1 + header["size"]
        if start > len(content):
            raise ValueError(f"{header['path']} is cut short")
        files.append(OutputFile(path=header["path"], content=content[end + 1 : start]))
