"""The file that a backup is in: JSON lines, which are believed when the last one fits them all."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, BinaryIO, Literal, TypeVar

import msgspec

from soulbox_core.errors import SoulBoxError
from soulbox_core.model import Value

LINE_BYTES = 64 << 20
"""Longest line that is read."""
_FORMAT = 1
_END = b'{"end":'


class BackupError(SoulBoxError):
    """A backup cannot be written, or is none that can be used; the message says what to do."""


class Header(Value, forbid_unknown_fields=True, kw_only=True):
    """The first line."""

    soulbox: int
    """The form of the file."""
    kind: Literal["backup"] = "backup"
    version: int
    """That of the database's tables."""
    at: str
    """When it was made."""


class Row(Value, forbid_unknown_fields=True):
    """A line between the first and the last: a record."""

    table: str
    row: dict[str, Any]


class End(Value, forbid_unknown_fields=True, kw_only=True):
    """The last line."""

    end: Literal[True] = True
    rows: int
    sha256: str
    """Of all lines before, in hex."""


class Contents(Value):
    """What a file has in it that was read to its end."""

    header: Header
    rows: Mapping[str, int]
    """How many records of each table."""


Line = TypeVar("Line", bound=Value)


class BackupWriter:
    """Writes a backup, line by line.

    :param version: that of the database's tables
    :param at: when it was begun
    """

    def __init__(self, file: BinaryIO, version: int, at: str) -> None:
        self._file = file
        self._digest = sha256()
        self.rows = 0
        """How many there are so far."""
        self._line(Header(soulbox=_FORMAT, version=version, at=at))

    def row(self, table: str, row: dict[str, Any]) -> None:
        """Add a record."""
        self._line(Row(table=table, row=row))
        self.rows += 1

    def end(self) -> None:
        """Add the line without which the file is worth nothing."""
        self._line(End(rows=self.rows, sha256=self._digest.hexdigest()))

    def _line(self, line: Value) -> None:
        data = msgspec.json.encode(line) + b"\n"
        self._digest.update(data)
        self._file.write(data)


def contents(file: BinaryIO, newest: int) -> Contents:
    """Read a file to its end, to know that it is whole.

    :param newest: the version of the tables that this program knows
    :raises BackupError: it is no backup, or a newer one, or not as it was written
    """
    header = _header(file)
    if header.soulbox != _FORMAT or header.version > newest:
        raise BackupError(
            f"a newer SoulBox made this backup, whose tables have version {header.version} where"
            f" this one knows {newest}; install the newer one"
        )
    counts: dict[str, int] = {}
    for row in rows(file):
        counts[row.table] = counts.get(row.table, 0) + 1
    return Contents(header=header, rows=counts)


def rows(file: BinaryIO) -> Iterator[Row]:
    """The records of a file.

    :raises BackupError: it is not as it was written, which is known for sure at its end
    """
    file.seek(0)
    digest = sha256(_line(file))
    count = 0
    while not (line := _line(file)).startswith(_END):
        digest.update(line)
        count += 1
        yield _read(line, Row)
    end = _read(line, End)
    if (end.rows, end.sha256) != (count, digest.hexdigest()):
        raise BackupError("the backup was changed after it was made; use another copy of it")
    if file.read(1):
        raise BackupError("the backup goes on after its end; use another copy of it")


def _header(file: BinaryIO) -> Header:
    file.seek(0)
    try:
        return _read(_line(file), Header)
    except BackupError:
        raise BackupError("this is no backup of SoulBox; `soulbox export` makes one") from None


def _line(file: BinaryIO) -> bytes:
    """:raises BackupError: there is no whole line"""
    line = file.readline(LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BackupError("the backup is cut off; use another copy of it")
    return line


def _read(line: bytes, kind: type[Line]) -> Line:
    """:raises BackupError: it is no such line"""
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BackupError("a line of the backup is damaged; use another copy of it") from None
