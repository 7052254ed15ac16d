"""One typed settings object: defaults < TOML file < environment < flags.

Environment variables are `SOULBOX_` and the dotted key with `__` between its parts:
`SOULBOX_POOL__PARKED=8` is `pool.parked`. Flags are `--set pool.parked=8`.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, dataclass_transform

import msgspec

from soulbox_core.errors import SettingsError
from soulbox_core.model import Limits

PREFIX = "SOULBOX_"
_NOT_SETTINGS = frozenset({"SOULBOX_CONFIG", "SOULBOX_URL"})
"""The command line's own: where the settings file is, and which service to talk to."""

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the settings' tables: an unknown key is an error, not a shrug."""


class Server(Section):
    """The HTTP side."""

    host: str = "127.0.0.1"
    port: Port = 8000
    hosts: tuple[str, ...] = ()
    """Names besides localhost, 127.0.0.1 and [::1] that a request's Host header may have. Empty:
    no others on a loopback address, any elsewhere."""
    request_bytes: Positive = 16 << 20
    """Largest request body."""
    held_bytes: Positive = 512 << 20
    """What is held in memory for clients at one time: the requests that run or wait, the
    output they may have, the answers that are being sent."""
    source_bytes: Positive = 1 << 20
    """Largest single source file."""
    files: Positive = 256
    """Most files in one request."""
    answer_seconds: Seconds = 120.0
    """Longest that a client may keep its answer waiting, all pieces of it together."""
    drain_seconds: Seconds = 30.0
    """After SIGTERM, how long running code may take before it is killed."""


class Ceiling(Limits):
    """The most that a run may ask for."""

    memory_bytes: int = 2 << 30
    cpu_seconds: float = 120.0
    wall_seconds: float = 300.0
    cpus: float = 4.0
    processes: int = 512
    open_files: int = 4096
    file_size_bytes: int = 1 << 30
    scratch_bytes: int = 1 << 30
    output_bytes: int = 16 << 20
    output_file_bytes: int = 64 << 20


class CompileLimits(Limits):
    """What a compile step may use, or a compile helper. No request changes it."""

    memory_bytes: int = 1 << 30
    cpu_seconds: float = 60.0
    wall_seconds: float = 30.0
    cpus: float = 2.0
    processes: int = 128
    open_files: int = 1024
    file_size_bytes: int = 256 << 20
    scratch_bytes: int = 512 << 20
    output_bytes: int = 1 << 20
    output_file_bytes: int = 64 << 20


class InstallLimits(Limits):
    """What installing a request's packages may use. No request changes it."""

    memory_bytes: int = 2 << 30
    cpu_seconds: float = 300.0
    wall_seconds: float = 120.0
    cpus: float = 2.0
    processes: int = 128
    open_files: int = 4096
    file_size_bytes: int = 512 << 20
    scratch_bytes: int = 1 << 30
    output_bytes: int = 1 << 20
    output_file_bytes: int = 512 << 20


class LimitSettings(Section):
    """What a run gets unasked, the most it may ask for, what compiling and installing get."""

    default: Limits = Limits()
    ceiling: Ceiling = Ceiling()
    compile: CompileLimits = CompileLimits()
    install: InstallLimits = InstallLimits()

    def __post_init__(self) -> None:
        for name in Limits.__struct_fields__:
            default, ceiling = getattr(self.default, name), getattr(self.ceiling, name)
            if default <= 0:
                raise ValueError(f"default.{name} must be more than 0")
            if default > ceiling:
                raise ValueError(f"default.{name} = {default} is above ceiling.{name} = {ceiling}")


class Admission(Section):
    """How much may run and wait at one time."""

    memory_bytes: Count = 0
    """Memory that running cells may reserve together; 0 means three quarters of the host's."""
    queue: Count = 512
    """Most requests waiting; one more is refused."""
    queue_seconds: Seconds = 30.0
    """Longest wait before a request is refused."""


class Pool(Section):
    """Warmth, per language."""

    parked: Count = 4
    """Parked cells kept ready."""
    compilers: Positive = 1
    """Parked cells kept ready for compile steps, or compile helpers kept running."""
    compiles: Positive = 1000
    """Compile steps that one helper does before it is replaced."""
    container_cells: Positive = 10_000
    """Cells made in one container before it is replaced, and with it the secret of str hashes
    and the address layout that the cells of one template share."""
    making_seconds: Seconds = 20.0
    """Longest that a template or cell may take to get ready before its container is replaced."""
    container_memory_bytes: Positive = 1 << 30
    """Memory of one container's launcher and templates, without its cells."""


class Cache(Section):
    """What is kept because making it again costs time."""

    store_bytes: Positive = 4 << 30
    """What compile steps made and requests had installed, on disk; the least recently used goes
    first."""


class Podman(Section):
    """How rootless Podman is driven."""

    runtime: str = ""
    """OCI runtime; empty chooses crun on cgroup v2 and runc on v1."""
    seccomp_profile: str = ""
    """The containers-common profile to start from; empty looks in the usual places."""


class Images(Section):
    """How language images are built."""

    sources: tuple[str, ...] = ()
    """One-line apt sources (`deb URI trixie main`) or mirror URIs; empty means Debian's own."""


class Cgroup(Section):
    """Where cells' cgroups are made."""

    roots: tuple[str, ...] = ()
    """One writable v2 directory, or one writable v1 directory per controller, named by it
    (.../memory, .../pids, .../cpu). Empty looks for what scripts/serve prepares."""


class Plugins(Section):
    """Which installed plugins may be loaded."""

    blocked: tuple[str, ...] = ()
    """Entry-point names of plugins that are not even imported."""


class DependencySettings(Section):
    """Which packages a request may have installed. Without hosts, none."""

    hosts: tuple[str, ...] = ()
    """Where the language's package manager fetches from, as `name` or `name:port`; nothing else
    can be reached while packages are installed."""
    allow: tuple[str, ...] = ("*",)
    """Globs; a package's name must match one."""
    deny: tuple[str, ...] = ()
    """Globs; a package whose name matches one is refused all the same."""


class LanguageSettings(Section):
    """An operator's changes to one language."""

    enabled: bool = True
    preloads: tuple[str, ...] | None = None
    """Replaces what the plugin preloads."""
    packages: tuple[str, ...] | None = None
    """Replaces the Debian packages of its image."""
    pypi: tuple[str, ...] | None = None
    """Replaces the Python requirements of its image."""
    parked: Count | None = None
    """Replaces pool.parked."""
    image: str | None = None
    """A ready image reference instead of one we build."""
    dependencies: DependencySettings = DependencySettings()


def _state_dir() -> str:
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(base, "soulbox")


class Settings(Section):
    """Everything an operator can set."""

    state_dir: str = msgspec.field(default_factory=_state_dir)
    """Images, storage and instance identities; survives restarts."""
    instance: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")] = "main"
    """Name of this process among those that share state_dir; each has its own containers."""
    server: Server = Server()
    limits: LimitSettings = LimitSettings()
    admission: Admission = Admission()
    pool: Pool = Pool()
    cache: Cache = Cache()
    podman: Podman = Podman()
    images: Images = Images()
    cgroup: Cgroup = Cgroup()
    plugins: Plugins = Plugins()
    languages: Mapping[str, LanguageSettings] = {}
    log_level: str = "info"

    def __post_init__(self) -> None:
        least = self.server.request_bytes + self.limits.ceiling.output_bytes
        if self.server.held_bytes < least:
            raise ValueError(
                "server.held_bytes must be at least server.request_bytes and "
                f"limits.ceiling.output_bytes together, {least}, or no such run fits"
            )

    def language(self, name: str) -> LanguageSettings:
        """The operator's table for a language, or one that changes nothing."""
        return self.languages.get(name, LanguageSettings())


def load(
    file: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Iterable[str] = (),
) -> Settings:
    """Merge all sources into one object.

    :param file: a TOML file; None means no file
    :param env: usually `os.environ`
    :param flags: `dotted.key=value` strings
    :raises SettingsError: naming the source and the key or value at fault
    """
    merged = _from_file(file) if file else {}
    merged = _merge(merged, _from_pairs(_env_pairs(env or {})))
    merged = _merge(merged, _from_pairs(_flag_pairs(flags)))
    try:
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_say(str(error))) from None


def _say(message: str) -> str:
    """Turn msgspec's `... - at `$.pool`` into a sentence that begins with our key."""
    text, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    return f"{key}: {text[0].lower()}{text[1:]}" if key else f"{text[0].lower()}{text[1:]}"


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None


def _env_pairs(env: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    for name, value in env.items():
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            yield name, name.removeprefix(PREFIX).lower().replace("__", "."), value


def _flag_pairs(flags: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    for flag in flags:
        key, equals, value = flag.partition("=")
        if not equals or not key:
            raise SettingsError(f"--set {flag}: write it as key=value, such as pool.parked=8")
        yield f"--set {key}", key.strip(), value


def _from_pairs(pairs: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for source, key, value in pairs:
        *parents, leaf = key.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise SettingsError(f"{source}: {parent} is set both as a value and as a table")
        node[leaf] = _literal(value)
    return tree


def _literal(value: str) -> Any:
    """A TOML list, table or quoted string as such; anything else stays text for msgspec."""
    if value[:1] in ("[", "{", '"'):
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{value}: {error}") from None
    return value


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        merged[key] = (
            _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return merged
