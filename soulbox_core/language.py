"""What a plugin registers: a language, as data."""

import re
from collections.abc import Mapping
from pathlib import Path

from soulbox_core.model import Value

NAME = re.compile(r"[a-z][a-z0-9+_-]{0,31}")


class Image(Value):
    """How a language's image is built. The core adds python3 for the launcher."""

    packages: tuple[str, ...] = ()
    """Debian package names."""
    pypi: tuple[str, ...] = ()
    """Python requirements, installed where the image's python3 finds them."""
    reference: str | None = None
    """A ready image to pull instead of building one; must hold python3 >= 3.9."""


class Language(Value):
    """A language that SoulBox offers. Limits are the core's and cannot be set here.

    :raises ValueError: when a field cannot work, naming it
    """

    name: str
    """Lower case; the last part of its URL."""
    title: str
    """For people, such as 'Python'."""
    image: Image
    source_file: str
    """Name given to a source that came without one, such as main.py."""
    run: tuple[str, ...]
    """Command line; `{entrypoint}` is replaced, the caller's args are appended."""
    version: tuple[str, ...]
    """Command that prints the toolchain's version."""
    hello: str
    """A program that prints exactly `Hello, World!` and a newline."""
    aliases: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    """Variables of every run, and of the template."""
    live_env: Mapping[str, str] = {}
    """Variables that make a cold run write its output line by line, for a stream's reader."""
    template: Path | None = None
    """A stdlib-only Python file that becomes the language's template (docs/plugins.md)."""
    preloads: tuple[str, ...] = ()
    """What the template loads ahead of time; its meaning is the template's."""
    cold_env: tuple[str, ...] = ()
    """Variables that a template cannot honour: a run that sets one starts cold."""

    def __post_init__(self) -> None:
        for name in (self.name, *self.aliases):
            if not NAME.fullmatch(name):
                raise ValueError(f"name {name!r} does not match {NAME.pattern}")
        if not self.run or not self.version:
            raise ValueError("run and version must not be empty")
        if "/" in self.source_file or not self.source_file:
            raise ValueError(f"source_file {self.source_file!r} must be a plain file name")
        if self.template is None and self.preloads:
            raise ValueError("preloads need a template")
