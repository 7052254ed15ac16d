"""Names and files of artifacts that tests need and do not care about."""

from soulbox_core.execution.artifact_disk import size_of, sizes_of
from soulbox_core.model import OutputFile

LUA = "lua"
FILES: tuple[OutputFile, ...] = (
    OutputFile(path="main", content=b"\x7fELF" + bytes(5000)),
    OutputFile(path="lib/a.so", content=b"library"),
    OutputFile(path="lib/empty", content=b""),
)
NOTE = b"warning: unused variable\n"


def key(number: int) -> str:
    """A key that differs for each number."""
    return f"{number:064x}"


def file(size: int, path: str = "main") -> tuple[OutputFile, ...]:
    """An artifact of one file."""
    return (OutputFile(path=path, content=b"x" * size),)


UNIT = size_of(sizes_of(file(1)), NOTE)
"""Room that an artifact of one small file takes."""
