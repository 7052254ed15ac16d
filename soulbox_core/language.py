"""What a plugin registers: a language, mostly as data."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from soulbox_core.model import Limits, SourceFile, Value

NAME = re.compile(r"[a-z][a-z0-9+_-]{0,31}")
OPTION = re.compile(r"[a-z][a-z0-9_]{0,31}")

ENTRYPOINT = "{entrypoint}"
"""In a command line: the file to run, relative to the working directory."""
ARTIFACT = "{artifact}"
"""In a command line: the directory with what the compile step left behind."""
OUT = "{out}"
"""In a compile's command line: the directory for what it is to leave behind."""
PRELOADS = "{preloads}"
"""A word of a command line that stands for all preloads, each a word of its own."""
REQUIREMENTS = "{requirements}"
"""A word of a command line that stands for all requirements of a request."""
DEPENDENCIES = "{dependencies}"
"""In command lines and variables: the directory in which a request's packages are found later."""

CERTIFICATES = "/soulbox/trust/certificates.pem"
"""In a step that has a proxy: the authorities by which other hosts are known, as PEM."""
CERTIFICATES_PKCS12 = "/soulbox/trust/certificates.p12"
"""The same as PKCS#12, without a password."""


class Image(Value):
    """How a language's image is built. The core adds python3 for the launcher."""

    packages: tuple[str, ...] = ()
    """Debian package names."""
    pypi: tuple[str, ...] = ()
    """Python requirements, installed where the image's python3 finds them."""
    files: Mapping[str, Path] = {}
    """Files of the plugin's, by their absolute paths in the image."""
    setup: tuple[tuple[str, ...], ...] = ()
    """Command lines run in the image while it is built, as its root and with network, after all
    else is in place. What they write outside of /root, /run, /tmp and /var/tmp becomes part of
    it."""
    reference: str | None = None
    """A ready image to pull instead of building one; must hold python3 >= 3.9."""

    def __post_init__(self) -> None:
        for path in self.files:
            if not path.startswith("/") or str(PurePosixPath(path)) != path or ".." in path:
                raise ValueError(f"files: {path!r} is not an absolute, normalised path")
        if any(not argv for argv in self.setup):
            raise ValueError("setup: a command line must not be empty")
        if self.reference is not None and (self.files or self.setup):
            raise ValueError("reference: a ready image takes no files and no setup")


class Source(Value):
    """A request, as far as a plugin may know it."""

    files: tuple[SourceFile, ...] = ()
    entrypoint: str = ""
    """Path of one of `files`."""
    options: Mapping[str, str] = {}
    """Every option of the language to its value, asked for or by default."""
    limits: Limits = Limits()
    """What the step will be held to, so that a runtime can be told of it."""
    proxy: str | None = None
    """URL of the HTTP proxy that is the step's only way to other hosts; None if it has none. The
    usual variables name it already; this is for clients that do not read them."""

    @property
    def text(self) -> str:
        """The entrypoint's content, as far as it is UTF-8."""
        path = self.entrypoint.removeprefix("./")  # of a file that is called like an option
        found = next((file for file in self.files if file.path == path), None)
        return "" if found is None else found.content.decode(errors="replace")


Command = tuple[str, ...] | Callable[[Source], tuple[str, ...]]
"""A command line, or a function that returns the one for a request. It is called on the event
loop for every request: it must be quick, and depend on nothing but its argument."""


Variables = Mapping[str, str] | Callable[[Source], Mapping[str, str]]
"""Environment variables, or a function that returns those for a request, as quick as `Command`."""


class Compile(Value):
    """A compile step. Everything in it goes into the cache key, and so do the caller's files."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    files: tuple[SourceFile, ...] = ()
    """Put beside the caller's own files; one of the caller's by the same path wins."""


_TAKEN = frozenset(Limits.__struct_fields__) | {
    *("args", "cache", "code", "dependencies", "encoding", "entrypoint", "env", "files", "limits"),
    *("mounts", "network", "options", "outputs", "stdin", "usage_events"),
}
"""Names that query parameters have for every language."""


class Option(Value):
    """A choice that a caller has, such as whether to optimise."""

    name: str
    description: str
    values: tuple[str, ...] = ("false", "true")
    """The first is the default."""

    def __post_init__(self) -> None:
        if not OPTION.fullmatch(self.name):
            raise ValueError(f"option {self.name!r} does not match {OPTION.pattern}")
        if self.name in _TAKEN:
            raise ValueError(f"option {self.name!r} has the name of a field of every request")
        if len(set(self.values)) < 2 or len(set(self.values)) < len(self.values):
            raise ValueError(f"option {self.name!r} needs two or more different values")


class Boot(Value):
    """How a parked cell's runtime is started ahead of time, for a runtime that cannot be forked."""

    argv: Command
    """Command line of a program that gets ready, says so and waits for its step (see
    docs/plugins.md)."""
    cold_limits: tuple[str, ...] = ()
    """Limits that the runtime reads when it starts: a run that asks for others starts cold."""

    def __post_init__(self) -> None:
        unknown = set(self.cold_limits) - set(Limits.__struct_fields__)
        if unknown:
            raise ValueError(f"cold_limits: no limit {', '.join(sorted(unknown))}")


class Dependencies(Value):
    """How packages that a request names are installed, and found by its run."""

    requirement: str
    """Regular expression that a requirement must match as a whole; its first group is the name of
    the package, which the operator's lists are about. It keeps options, paths and addresses out."""
    install: tuple[str, ...]
    """Command line that installs `{requirements}` into `{out}`, from where they are moved to
    `{dependencies}`. Regular files alone are kept, as readable and executable for all."""
    env: Mapping[str, str] = {}
    """Variables that make compile and run find them there; `{dependencies}` is replaced."""
    warm: bool = False
    """Whether the template or booted runtime finds them by what its step says; else runs that
    have some start cold."""

    def __post_init__(self) -> None:
        try:
            pattern = re.compile(self.requirement)
        except re.error as error:
            raise ValueError(f"requirement: {error}") from None
        if pattern.groups < 1:
            raise ValueError("requirement: needs a group that is the package's name")
        if REQUIREMENTS not in self.install:
            raise ValueError(f"install: needs the word {REQUIREMENTS}")


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
    run: Command
    """Command line that runs a program in a cold cell; the caller's args are appended."""
    version: tuple[str, ...]
    """Command that prints the toolchain's version."""
    hello: str
    """A program that prints exactly `Hello, World!` and a newline."""
    aliases: tuple[str, ...] = ()
    env: Variables = msgspec.field(default_factory=dict)
    """Variables of every step; a template and a booted runtime get those of an empty request."""
    live_env: Mapping[str, str] = {}
    """Variables that make a cold run write its output line by line, for a stream's reader."""
    options: tuple[Option, ...] = ()
    compile: Compile | Callable[[Source], Compile | None] | None = None
    """The compile step, or a function that returns the one for a request, or None for a request
    that needs none."""
    compiler: Command | None = None
    """Command line of a helper that stays and does the compile steps, one after the other
    (docs/plugins.md); None starts each step's own command line."""
    template: Path | None = None
    """A stdlib-only Python file that becomes the language's template (docs/plugins.md)."""
    boot: Boot | None = None
    """How parked cells get a booted runtime; a language has this, a template, or neither."""
    preloads: tuple[str, ...] = ()
    """What the template, the booted runtime or the image holds ahead of time; the word
    `{preloads}` in `boot` and `image.setup` stands for them."""
    cold_env: tuple[str, ...] = ()
    """Variables that a template or a booted runtime cannot honour, `*` for any: a run that sets
    one starts cold."""
    dependencies: Dependencies | None = None

    def __post_init__(self) -> None:
        for name in (self.name, *self.aliases):
            if not NAME.fullmatch(name):
                raise ValueError(f"name {name!r} does not match {NAME.pattern}")
        if not self.run or not self.version:
            raise ValueError("run and version must not be empty")
        if "/" in self.source_file or not self.source_file:
            raise ValueError(f"source_file {self.source_file!r} must be a plain file name")
        if self.template is not None and self.boot is not None:
            raise ValueError("template and boot exclude each other")
        if self.compiler is not None and self.compile is None:
            raise ValueError("compiler needs compile")
        names = [option.name for option in self.options]
        if len(set(names)) < len(names):
            raise ValueError("options: two have the same name")
        if self.preloads and self.template is None and not self._preloads_used():
            raise ValueError(f"preloads: nothing takes them; use {PRELOADS} in image.setup or boot")

    @property
    def warm(self) -> bool:
        """Whether a parked cell has a runtime ready."""
        return self.template is not None or self.boot is not None

    def _preloads_used(self) -> bool:
        if any(PRELOADS in argv for argv in self.image.setup):
            return True
        return self.boot is not None and (callable(self.boot.argv) or PRELOADS in self.boot.argv)
