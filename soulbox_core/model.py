"""The vocabulary of a run: what is asked, what a cell is told, what came of it.

All are frozen values. Units are in the names; text is `str`, program data is `bytes`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, dataclass_transform

import msgspec

Stream = Literal["stdout", "stderr"]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the domain's frozen values."""


class Status(StrEnum):
    """How a run ended. Exactly one holds; `soulbox_core.execution.verdict` decides which."""

    OK = "ok"
    """The program exited with code 0."""
    FAILED = "failed"
    """The program exited with another code."""
    SIGNALED = "signaled"
    """A signal that SoulBox did not send ended the program."""
    WALL_TIME_EXCEEDED = "wall_time_exceeded"
    CPU_TIME_EXCEEDED = "cpu_time_exceeded"
    MEMORY_EXCEEDED = "memory_exceeded"
    """The kernel killed a process of the cell for memory."""
    OUTPUT_EXCEEDED = "output_exceeded"
    """stdout and stderr together passed output_bytes; the cell was killed."""
    PROCESS_LIMIT = "process_limit"
    """The program failed after the kernel refused it a process or thread."""
    FILE_SIZE_EXCEEDED = "file_size_exceeded"
    """A write past file_size_bytes ended the program."""
    SCRATCH_EXCEEDED = "scratch_exceeded"
    """The program failed and left its scratch space full."""
    COMPILE_FAILED = "compile_failed"
    """The compile step failed, so nothing was run; stderr is the compiler's output."""
    INSTALL_FAILED = "install_failed"
    """The packages asked for could not be installed, so nothing was run; stderr says why."""


class Caller(Value):
    """Who a request is from, as far as it was proven."""

    id: str
    """`key:...` for an API key and the tokens traded for it, `token:issuer:subject` for an outside
    issuer's, `address:...` where callers need not prove who they are."""
    scopes: frozenset[str]
    policy: str = "default"
    """Name of what it may do."""


class Standing(Value):
    """How a caller stands with a token bucket."""

    share: str
    """What the bucket is called where callers see it."""
    limit: int
    """What it holds."""
    window_seconds: float
    """How long it takes to fill from empty."""
    remaining: int
    """Whole tokens in it."""
    reset_seconds: float
    """How long until it is full."""
    allowed: bool = True
    """Whether there was a token to take."""
    retry_after_seconds: float = 0.0
    """How long until there is one."""


class Limits(Value, forbid_unknown_fields=True):
    """What one step may use. Every field is set by the core; there is no 'unlimited'."""

    memory_bytes: int = 256 << 20
    """Memory of all the cell's processes and its scratch files; swap is off."""
    cpu_seconds: float = 10.0
    """CPU time of all the cell's processes together."""
    wall_seconds: float = 15.0
    """Time from handing over the code to the end of the program."""
    cpus: float = 1.0
    """CPU cores; 0.5 is half the time of one."""
    processes: int = 64
    """Processes and threads at one time."""
    open_files: int = 256
    """Open descriptors of one process."""
    file_size_bytes: int = 64 << 20
    """Size of one file."""
    scratch_bytes: int = 64 << 20
    """Size of the working directory, /tmp and /dev/shm together."""
    output_bytes: int = 1 << 20
    """stdout and stderr together."""
    output_file_bytes: int = 8 << 20
    """Content of the files brought back, together."""


class SourceFile(Value):
    """A file to be in the working directory before the program starts.

    `path` is relative, POSIX, normalised, and cannot leave the directory.
    """

    path: str
    content: bytes


class RunRequest(Value):
    """A checked request to run a program. `limits` holds only what the caller asked for."""

    language: str
    files: tuple[SourceFile, ...]
    entrypoint: str
    """Path of one of `files`."""
    stdin: bytes = b""
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    limits: Mapping[str, float] = {}
    """Names of `Limits` fields to the value asked for."""
    outputs: tuple[str, ...] = ()
    """Paths or globs, relative to the working directory, to bring back."""
    options: Mapping[str, str] = {}
    """Names of the language's options to the value asked for."""
    dependencies: tuple[str, ...] = ()
    """Packages to have installed, in the words of the language's package manager."""
    network: tuple[str, ...] = ()
    """Hosts to reach: `name` or `*.name`, either with `:port`."""
    mounts: tuple[str, ...] = ()
    """Names of volumes to see."""
    cache: bool | None = None
    """Whether an earlier answer to the same request will do, and this one may be kept for later
    ones; None leaves it to the caller's policy."""
    usage_events: bool = False
    """Whether a stream tells what the run uses while it goes on."""


class Step(Value):
    """What a cell is told to do, once."""

    argv: tuple[str, ...]
    entrypoint: str
    files: tuple[SourceFile, ...]
    env: Mapping[str, str]
    stdin: bytes
    limits: Limits
    outputs: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    live: bool = False
    """Somebody reads the output as it comes, so it should be flushed line by line."""
    artifact: str | None = None
    """Directory in the cell with what the compile step left behind."""
    dependencies: str | None = None
    """Directory in the cell with the packages that the request asked for."""
    out: str | None = None
    """Directory that is made for the step, and all of whose files are brought back if it exits
    with code 0; for steps that make something, instead of `outputs`."""
    into: str | None = None
    """Directory of the host that takes those files, for when they may be many and large; else
    they come as `Facts.output_files`."""


class Usage(Value):
    """What the cell's cgroup counted from the hand-over of the code to the program's end."""

    wall_seconds: float
    cpu_seconds: float
    memory_peak_bytes: int


class OutputFile(Value):
    """A regular file that the program left in its working directory."""

    path: str
    content: bytes


class Facts(Value):
    """The raw facts of a finished step, before any judgement."""

    exit_code: int | None
    """None if a signal ended the program or it had to be killed."""
    signal: int | None
    """The signal number that ended the program."""
    stopped_by: Literal["wall", "cpu", "output"] | None
    """Which of the core's own limits killed the cell."""
    oom_kills: int
    """Processes of the cell that the kernel killed for memory (cgroup counter)."""
    refused_forks: int
    """Times pids.max refused a process or thread (cgroup counter)."""
    scratch_full: bool
    """The scratch space had no room left when the program ended."""
    usage: Usage
    truncated: tuple[Stream, ...] = ()
    """Streams of which the cell held output back."""
    output_files: tuple[OutputFile, ...] = ()
    outputs_missing: tuple[str, ...] = ()
    """Patterns in `Step.outputs` that matched nothing."""
    outputs_skipped: tuple[str, ...] = ()
    """Files that matched but did not fit in output_file_bytes."""


class Timings(Value):
    """Where a request's time went, in seconds."""

    queue_seconds: float
    install_seconds: float | None
    """Finding or installing the packages asked for; None if none were."""
    compile_seconds: float | None
    """Finding or making the artifact; None if there was nothing to compile."""
    claim_seconds: float
    run_seconds: float


class Compilation(Value):
    """What came of a compile step."""

    cached: bool
    """The artifact was there already; nothing was compiled for this run."""
    output: bytes
    """What the compiler said: its warnings, or why it failed."""


class Visit(Value):
    """What a run had to do with one host."""

    host: str
    port: int
    allowed: bool
    connections: int
    sent_bytes: int
    received_bytes: int


class Hit(Value):
    """Where an answer came from that might have been there already."""

    key: str
    """Names the request, and all that its answer depends on."""
    level: Literal["none", "joined", "memory", "redis"]
    """`none`: it was run now. `joined`: it waited for an equal request that was under way."""
    age_seconds: float
    """How long ago it was run; 0 if now."""


class Outcome(Value):
    """What came of a run."""

    id: str
    language: str
    status: Status
    exit_code: int | None
    signal: str | None
    """Name of the signal, such as SIGSEGV."""
    stdout: bytes
    stderr: bytes
    truncated: tuple[Stream, ...]
    """Streams of which output was dropped."""
    usage: Usage
    timings: Timings
    output_files: tuple[OutputFile, ...]
    outputs_missing: tuple[str, ...]
    outputs_skipped: tuple[str, ...]
    compilation: Compilation | None = None
    """None if there was nothing to compile."""
    network: tuple[Visit, ...] | None = None
    """Whom it talked to or tried to; None if it had no way out."""
    replayed: bool = False
    """It is that of an earlier request with the same Idempotency-Key."""
    hit: Hit | None = None
    """Where the result cache had it from; None if it was not asked."""


class Started(Value):
    """First event of a streamed run: the cell has the code."""

    id: str
    language: str


class Chunk(Value):
    """Output, as soon as the program wrote it."""

    stream: Stream
    data: bytes


class Sample(Value):
    """What a run uses at one moment."""

    wall_seconds: float
    """Time since the code was handed over."""
    cpu_seconds: float
    memory_bytes: int
    processes: int
    """Processes and threads."""


class Finished(Value):
    """Last event of a streamed run. The outcome's stdout and stderr are empty: they were sent."""

    outcome: Outcome


Event = Started | Chunk | Sample | Finished
