"""Bring the files back that a request asked for."""

import asyncio
import os
from typing import Any

import msgspec

from soulbox_core.errors import CellLost
from soulbox_core.model import Facts, OutputFile, Step
from soulbox_core.sandbox.link import Link

HARVEST_SECONDS = 10.0
"""Longest that reading the files may take; what a program can prepare to slow it is bounded."""
_OVERHEAD_BYTES = 2 << 20
"""Room for the headers of the most files that the launcher sends, with the longest paths."""


async def harvest(link: Link, step: Step, facts: Facts) -> Facts:
    """Ask the cell's init for the step's outputs; return the facts with them.

    :raises CellLost: they did not come, or not as agreed
    """
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    request = {"patterns": step.outputs, "budget": step.limits.output_file_bytes}
    try:
        link.send(request, (write_end,))
    except CellLost:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    most = step.limits.output_file_bytes + _OVERHEAD_BYTES
    try:
        async with asyncio.timeout(HARVEST_SECONDS):
            content = await _read(read_end, most)
        files, last = _parse(content)
    except TimeoutError:
        raise CellLost("bringing the output files back took too long") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CellLost(f"the output files came garbled: {error}") from None
    return msgspec.structs.replace(
        facts,
        output_files=tuple(files),
        outputs_missing=tuple(last["missing"]),
        outputs_skipped=tuple(last["skipped"]),
    )


async def _read(descriptor: int, most: int) -> bytes:
    """Read a pipe to its end, closing it.

    :raises ValueError: more came than agreed
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    try:
        content = bytearray()
        while chunk := await reader.read(1 << 18):
            content += chunk
            if len(content) > most:
                raise ValueError(f"more than {most} bytes")
        return bytes(content)
    finally:
        transport.close()


def _parse(content: bytes) -> tuple[list[OutputFile], dict[str, Any]]:
    """A JSON line and so many bytes for each file, then a JSON line for what did not come."""
    files: list[OutputFile] = []
    start = 0
    while True:
        end = content.index(b"\n", start)
        header = msgspec.json.decode(content[start:end])
        if "path" not in header:
            return files, header
        start = end + 1 + header["size"]
        if start > len(content):
            raise ValueError(f"{header['path']} is cut short")
        files.append(OutputFile(path=header["path"], content=content[end + 1 : start]))
