"""As much of a Cargo.toml as it takes to compile a package without cargo."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from soulbox_core import SourceFile

_NAME = "Cargo.toml"
_READ_BYTES = 64 << 10
_TABLE = re.compile(r"[ \t]*\[\s*([\w.-]+)\s*\]")
_STRING = re.compile(r"[ \t]*([\w-]+)[ \t]*=[ \t]*[\"']([^\"'\\]*)[\"']")
_CRATE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,64}")


class Package:
    """What a Cargo.toml says, or would say of a source that comes without one."""

    def __init__(self, directory: PurePosixPath, tables: Mapping[str, Mapping[str, str]]) -> None:
        self.directory = directory
        self._package = tables.get("package", {})
        self._library = tables.get("lib", {})

    def edition(self, default: str, known: Sequence[str]) -> str:
        """The edition, as far as it is a known one."""
        found = self._package.get("edition", default)
        return found if found in known else default

    @property
    def name(self) -> str:
        """The package's name; `main`, as rustc calls main.rs, if it has none that can be one."""
        found = self._package.get("name", "")
        return found if _CRATE.fullmatch(found) else "main"

    @property
    def version(self) -> str:
        """The package's version; 0.0.0 if it has none."""
        found = self._package.get("version", "")
        return found if _VERSION.fullmatch(found) else "0.0.0"

    @property
    def library(self) -> tuple[str, str]:
        """Name and path of its library, whether there is one or not."""
        path = self.directory / self._library.get("path", "src/lib.rs")
        found = self._library.get("name", "")
        return crate(found if _CRATE.fullmatch(found) else self.name), str(path)


def package(files: Sequence[SourceFile], entrypoint: str) -> Package:
    """The package that a file belongs to: that of the nearest Cargo.toml above it."""
    manifests = {PurePosixPath(file.path): file for file in files if file.path.endswith(_NAME)}
    for directory in PurePosixPath(entrypoint).parents:
        if found := manifests.get(directory / _NAME):
            return Package(directory, _tables(found.content[:_READ_BYTES].decode(errors="replace")))
    return Package(PurePosixPath(), {})


def crate(name: str) -> str:
    """A package's name as a crate's."""
    return name.replace("-", "_")


def _tables(text: str) -> dict[str, dict[str, str]]:
    """Tables, each with those of its values that are strings on a line of their own.

    Not by a parser: a Cargo.toml of a stranger is read on the event loop, and what cargo would
    refuse is no reason to refuse the program.
    """
    found: dict[str, dict[str, str]] = {}
    table: dict[str, str] = {}
    for line in text.splitlines():
        if head := _TABLE.match(line):
            table = found.setdefault(head[1], {})
        elif value := _STRING.match(line):
            table.setdefault(value[1], value[2])
    return found
