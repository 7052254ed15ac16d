"""What goes over the wire: the JSON that is read and written, as strict types.

`/openapi.json` is generated from these, so the constraints that a client can check for itself
are written here, and the ones that need the operator's settings in `requests.py`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from soulbox_core.api import paths
from soulbox_core.model import Hit, Status, Stream, Timings, Usage, Value, Visit
from soulbox_core.registry import PluginFault
from soulbox_core.service.catalog import LanguageInfo
from soulbox_core.store.port import Health

Encoding = Literal["utf-8", "base64"]

ARGS = 256
"""Most command-line arguments."""
VARIABLES = 256
"""Most environment variables."""
ARGUMENT_BYTES = 64 << 10
"""Most bytes of all arguments and variables together; the kernel takes 128 KiB in one."""
OUTPUTS = 64
"""Most paths and globs to bring back."""
OPTIONS = 16
"""Most options of a language that one request sets."""
DEPENDENCIES = 32
"""Most packages that one request asks for."""
HOSTS = 64
"""Most hosts that one request asks to reach."""
MOUNTS = 16
"""Most volumes that one request asks for."""
LIMIT = 1 << 53
"""No limit is above this: the largest range of integers that every JSON reader agrees on."""
VARIABLE_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"

_NO_NUL = r"^[^\u0000]*$"

# `extra_json_schema` is for rules that are checked elsewhere, with a better message.
Path = Annotated[str, Meta(extra_json_schema={"pattern": paths.PATTERN})]
Variable = Annotated[str, Meta(extra_json_schema={"pattern": VARIABLE_NAME})]
Requirement = Annotated[str, Meta(min_length=1, max_length=200)]
Host = Annotated[str, Meta(min_length=1, max_length=262)]
Volume = Annotated[str, Meta(min_length=1, max_length=260)]
Text = Annotated[str, Meta(extra_json_schema={"pattern": _NO_NUL})]


class Wire(Value, forbid_unknown_fields=True):
    """Base of what is read: an unknown field is refused by name."""


class Base64(Wire):
    """Bytes that are not UTF-8 text."""

    base64: bytes


Content = str | Base64


Whole = Annotated[int, Meta(ge=1, le=LIMIT)] | UnsetType
Real = Annotated[float, Meta(gt=0, le=float(LIMIT))] | UnsetType


class AskedLimits(Wire):
    """What the run may use. What is left out gets the operator's default."""

    memory_bytes: Whole = UNSET
    cpu_seconds: Real = UNSET
    wall_seconds: Real = UNSET
    cpus: Real = UNSET
    processes: Whole = UNSET
    open_files: Whole = UNSET
    file_size_bytes: Whole = UNSET
    scratch_bytes: Whole = UNSET
    output_bytes: Whole = UNSET
    output_file_bytes: Whole = UNSET


class Network(Wire):
    """What a program may reach."""

    allow: Annotated[
        tuple[Host, ...],
        Meta(
            max_length=HOSTS,
            description="Hosts, as `name` or `*.name`, either with `:port`; by HTTP and HTTPS.",
        ),
    ] = ()


class Options(Wire):
    """How a program is to be run, whatever way its source came."""

    stdin: Annotated[Content, Meta(description="What the program reads from stdin.")] = ""
    args: Annotated[
        tuple[Text, ...], Meta(max_length=ARGS, description="Command-line arguments.")
    ] = ()
    env: Annotated[
        Mapping[Variable, Text],
        Meta(max_length=VARIABLES, description="Environment variables to add."),
    ] = {}
    limits: AskedLimits = AskedLimits()
    outputs: Annotated[
        tuple[Path, ...],
        Meta(max_length=OUTPUTS, description="Files to bring back: paths or globs (`*`, `**`)."),
    ] = ()
    options: Annotated[
        Mapping[str, str | bool],
        Meta(max_length=OPTIONS, description="The language's own options, see /v1/languages."),
    ] = {}
    dependencies: Annotated[
        tuple[Requirement, ...],
        Meta(
            max_length=DEPENDENCIES,
            description="Packages to install first, in the words of the language's package "
            "manager; where the operator allows it.",
        ),
    ] = ()
    network: Annotated[
        Network, Meta(description="What the program may reach; without it, nothing.")
    ] = Network()
    mounts: Annotated[
        tuple[Volume, ...],
        Meta(max_length=MOUNTS, description="Volumes to see, read-only, below /volumes."),
    ] = ()
    cache: (
        Annotated[
            bool,
            Meta(
                description="Whether an earlier answer to the same request will do, and this one "
                "may be kept for later ones; without it, as the caller's policy says."
            ),
        ]
        | UnsetType
    ) = UNSET
    encoding: Annotated[
        Encoding,
        Meta(
            description="How stdout and stderr are written: text with U+FFFD for bytes that are "
            "not UTF-8, or base64."
        ),
    ] = "utf-8"
    usage_events: Annotated[
        bool,
        Meta(
            description="Whether a stream also tells, every 100 ms, what the program uses. An "
            "answer that is no stream cannot."
        ),
    ] = False


class RunBody(Options):
    """A program to run: `code`, or `files`."""

    code: Annotated[Content, Meta(description="The source, if it is one file.")] | UnsetType = UNSET
    files: (
        Annotated[
            dict[Path, Content],
            Meta(min_length=1, description="Path to content, for more than one file."),
        ]
        | UnsetType
    ) = UNSET
    entrypoint: (
        Annotated[Path, Meta(description="Path of the file to run; with `code`, its name.")]
        | UnsetType
    ) = UNSET


class ClientMessage(Wire):
    """What a WebSocket client says after its request."""

    stdin: Annotated[Content, Meta(description="More for the program to read.")] | UnsetType = UNSET
    eof: Annotated[bool, Meta(description="Whether stdin ends here.")] = False


class AnswerFile(Value):
    """A file that the program left and that was asked for."""

    path: str
    size_bytes: int
    content: str
    encoding: Encoding


class AnswerCompile(Value):
    """What came of the compile step."""

    cached: bool
    output: str


class Answer(Value):
    """What came of a run."""

    id: str
    language: str
    status: Status
    exit_code: int | None
    signal: str | None
    stdout: str
    stderr: str
    encoding: Encoding
    truncated: tuple[Stream, ...]
    usage: Usage
    timings: Timings
    compile: AnswerCompile | None
    network: tuple[Visit, ...] | None
    """Whom it talked to or tried to; null if it had no way out."""
    cache: Hit | None
    """Where the result cache had it from; null if it was not asked."""
    files: tuple[AnswerFile, ...]
    outputs_missing: tuple[str, ...]
    outputs_skipped: tuple[str, ...]


class Languages(Value):
    """What can be run here."""

    languages: tuple[LanguageInfo, ...]
    faults: tuple[PluginFault, ...]


class Liveness(Value):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(Value):
    """Whether a run would start at once, in all and per language."""

    status: Literal["ready", "starting", "stopping"]
    languages: dict[str, bool]
    database: Health | None = None
    """How the database is, of which `status` does not tell: runs go on without it. Null if there
    is none."""
