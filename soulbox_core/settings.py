"""One typed settings object: defaults < TOML file < environment < flags.

Environment variables are `SOULBOX_` and the dotted key with `__` between its parts:
`SOULBOX_POOL__PARKED=8` is `pool.parked`. Flags are `--set pool.parked=8`.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, dataclass_transform

import msgspec

from soulbox_core.errors import SettingsError
from soulbox_core.model import Limits

PREFIX = "SOULBOX_"
_NOT_SETTINGS = frozenset({"SOULBOX_CONFIG", "SOULBOX_URL", "SOULBOX_KEY"})
"""The command line's own: where the settings file is, which service to talk to, and as whom."""

_SECRET_CHARACTERS = 32

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
    connections: Positive = 2000
    """Most connections open at one time; one more is closed unheard."""
    connections_per_address: Positive = 1000
    """The same for one client address."""
    header_bytes: Annotated[int, msgspec.Meta(ge=1024, le=1 << 20)] = 32 << 10
    """Largest head of a request: its line and its headers together."""
    header_seconds: Seconds = 10.0
    """Longest that a client may take for the head of a request, once it began."""
    idle_seconds: Seconds = 60.0
    """Longest that a connection may lie idle before it is closed."""
    upload_seconds: Seconds = 120.0
    """Longest that a client may take to send a body."""
    streams: Positive = 100
    """Most requests at one time on one HTTP/2 connection."""
    message_bytes: Positive = 256 << 10
    """Largest WebSocket message from a client, in bytes, or characters if it is text."""
    json_depth: Annotated[int, msgspec.Meta(ge=4, le=256)] = 32
    """Deepest nesting of a JSON body."""
    idempotency_seconds: Seconds = 86400.0
    """How long the answer to a request with an Idempotency-Key is kept."""
    idempotency_bytes: Positive = 256 << 20
    """How much of such answers is held in memory, what runs under way may come to included."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks, such as 10.0.0.0/8, whose X-Forwarded-For header says who the client is."""
    cors_origins: tuple[str, ...] = ()
    """Origins, such as https://notebook.example.org, whose pages may use the API."""
    tls_certificate: str = ""
    """PEM file with the service's certificate and those above it; empty serves plain HTTP."""
    tls_key: str = ""
    """PEM file with its private key."""


class Grpc(Section):
    """The gRPC side, on a port of its own at server.host; server.tls_* holds for it too."""

    port: Port | None = None
    """TCP port; 0 chooses a free one, nothing leaves gRPC off."""


class Issuer(Section):
    """An outside issuer whose tokens are accepted."""

    issuer: str
    """What `iss` must be."""
    audience: str
    """What `aud` must be or hold."""
    jwks: str
    """Where its keys are: an https URL, or a file."""
    algorithms: tuple[Literal["EdDSA", "ES256", "RS256", "PS256"], ...] = ("EdDSA", "ES256")
    """The signature algorithms that are accepted; never a shared secret."""
    scopes_claim: str = "scope"
    """Claim with the scopes, as a list or as words."""
    policy_claim: str = "soulbox_policy"
    """Claim with the name of the caller's policy; without it, `default`."""


class Auth(Section):
    """Who may call."""

    enabled: bool = True
    """Whether callers must prove who they are. Without that only loopback is listened on."""
    let_anybody_on_the_network_run_code: bool = False
    """Listen elsewhere even though `enabled` is off."""
    audience: str = "soulbox"
    """The audience of tokens that this service issues."""
    access_seconds: Seconds = 600.0
    """How long an access token is good for."""
    refresh_seconds: Seconds = 2_592_000.0
    """How long a refresh token is good for, and with it the family that it began."""
    issuers: tuple[Issuer, ...] = ()
    """Outside issuers whose tokens are accepted."""


class Rate(Section):
    """A token bucket."""

    requests_per_second: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How fast it fills; 0 means no bound."""
    burst: Positive = 100
    """How much it holds."""


class Rates(Section):
    """How many requests are let in, besides what each caller's policy says."""

    total: Rate = Rate()
    """All callers together."""
    address: Rate = Rate(requests_per_second=20.0, burst=200)
    """One client address on paths that need no credential, and for credentials that are wrong."""
    redis: str = ""
    """Where the buckets are, such as redis://127.0.0.1:6379/0, for several nodes to share; empty
    keeps them in memory."""
    redis_seconds: Seconds = 0.05
    """Longest that Redis is waited for before the bucket in memory is used."""


class PolicySettings(Section):
    """What callers of one kind may do. The table named `default` is for those who name none."""

    ceiling: Mapping[str, float] = {}
    """Limits to the most that a run may ask for; what is not here is as in limits.ceiling."""
    languages: tuple[str, ...] = ("*",)
    """Globs of the languages that may be run."""
    network: tuple[str, ...] = ()
    """Hosts that runs may ask to reach: `name`, `*.name`, either with `:port`; without one, 80
    and 443."""
    mounts: tuple[str, ...] = ()
    """Globs of the volumes that runs may ask for."""
    hidden: tuple[str, ...] = ()
    """Absolute paths of the images that runs do not see."""
    dependencies: bool = True
    """Whether runs may ask for packages, where the language's settings allow any."""
    rate: Rate = Rate()
    """Requests of each caller."""
    concurrent: Count = 0
    """Runs of each caller at one time, waiting ones included; 0 means no bound."""
    cpu_seconds_per_day: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """CPU time of each caller's runs from midnight to midnight UTC; 0 means no bound."""
    cache: bool = False
    """Whether the result cache is asked for requests that do not say."""


class Egress(Section):
    """The way out of runs that may use the network."""

    connections: Positive = 32
    """Connections of one run at one time."""
    bytes: Positive = 256 << 20
    """What one run may send and receive, all together."""
    connect_seconds: Seconds = 10.0
    """Longest that connecting to a host may take."""
    idle_seconds: Seconds = 60.0
    """Longest that a connection may lie idle."""
    private_networks: tuple[str, ...] = ()
    """Networks, such as 10.1.0.0/16, that may be reached although they are not public."""


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


class Results(Section):
    """The result cache: answers of runs, for requests that ask for it."""

    memory_bytes: Count = 64 << 20
    """What is kept in memory; 0 keeps nothing there."""
    seconds: Seconds = 3600.0
    """How long an answer is kept."""
    entry_bytes: Positive = 1 << 20
    """Largest answer that is kept."""
    shared: bool = False
    """Whether callers may be given what was run for others; by its age and by its speed they
    learn then what others run."""
    redis: str = ""
    """A second level, such as redis://127.0.0.1:6379/0, for several nodes to share; empty for
    none."""
    redis_seconds: Seconds = 0.05
    """How long Redis is waited for before the program is run instead."""
    secret: str = ""
    """At least 32 characters, the same on every node: what comes back from Redis was put there by
    who knows it. Needed with `redis`."""

    def __post_init__(self) -> None:
        if self.redis and len(self.secret) < _SECRET_CHARACTERS:
            raise ValueError(
                f"results.secret must have at least {_SECRET_CHARACTERS} characters where"
                " results.redis is set, or whoever can write there could answer for us"
            )


class Database(Section):
    """Where keys, sessions and records are kept."""

    url: str = ""
    """A SurrealDB server, such as wss://db.example.org/rpc, for several nodes to share; empty for
    one that is part of this process, in the instance's directory."""
    user: str = ""
    password: str = ""
    namespace: str = "soulbox"
    name: str = "soulbox"
    """The database's, in its namespace."""
    replicas: tuple[str, ...] = ()
    """More servers with the same data, which may lag behind; what may be old is read there."""
    seconds: Seconds = 5.0
    """Longest that an answer is waited for."""
    fresh_seconds: Seconds = 5.0
    """With `url`: how old what is known of a key or session may be; so long may one that was
    revoked on another node be good here."""
    grace_seconds: Seconds = 300.0
    """With `url`: how old it may be while the database does not answer."""


class Records(Section):
    """What is kept of each run."""

    enabled: bool = True
    """Whether anything is."""
    seconds: Seconds = 2_592_000.0
    """How long."""
    code: bool = False
    """Whether the files, arguments and stdin of the request are kept too."""
    output: bool = False
    """Whether stdout and stderr are kept too."""
    content_bytes: Positive = 64 << 10
    """Most that is kept of each of them."""
    batch_seconds: Seconds = 0.25
    """How long a record waits for others to be written with."""
    spool_bytes: Positive = 256 << 20
    """What waits on disk while the database does not answer; when it is full, records are lost,
    and counted."""


class Telemetry(Section):
    """What the service tells of itself."""

    metrics: bool = True
    """Whether /metrics is there."""
    otlp: str = ""
    """Where traces go, as http://127.0.0.1:4318; empty for nowhere."""
    trace_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    """Share of the traces that begin here which is kept; one that began elsewhere is kept as it
    says itself."""
    log_format: Literal["console", "json"] = "console"
    """How log lines are written."""


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
    env: Mapping[str, str] = {}
    """Variables for the package manager, such as PIP_INDEX_URL for an index of the operator's."""


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


VolumeName = Annotated[
    str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9._-]{0,63}(/[a-z0-9][a-z0-9._-]{0,63}){0,3}$")
]


class Settings(Section):
    """Everything an operator can set."""

    state_dir: str = msgspec.field(default_factory=_state_dir)
    """Images, storage and instance identities; survives restarts."""
    instance: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")] = "main"
    """Name of this process among those that share state_dir; each has its own containers."""
    server: Server = Server()
    grpc: Grpc = Grpc()
    auth: Auth = Auth()
    rates: Rates = Rates()
    policies: Mapping[str, PolicySettings] = {}
    """What callers may do, by the policy's name."""
    volumes: Mapping[VolumeName, str] = {}
    """Directories of the host that runs may be given read-only, by the name they ask for."""
    egress: Egress = Egress()
    limits: LimitSettings = LimitSettings()
    admission: Admission = Admission()
    pool: Pool = Pool()
    cache: Cache = Cache()
    results: Results = Results()
    database: Database = Database()
    records: Records = Records()
    telemetry: Telemetry = Telemetry()
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
