"""What goes over the wire about runs that are over."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from soulbox_core.api.schema import AnswerFile, Encoding, Wire
from soulbox_core.language import NAME
from soulbox_core.model import Timings, Usage, Value
from soulbox_core.store.records import ENDINGS, Ended

PAGE = 100
"""Most records of one answer."""
DAYS = 366
"""Most days of one answer."""
DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

Moment = Annotated[str, Meta(max_length=64, extra_json_schema={"format": "date-time"})]
Day = Annotated[str, Meta(pattern=DAY, extra_json_schema={"format": "date"})]
CallerId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4096,
        description="Whose; another's takes the scope `admin`. Without it, the caller's own.",
    ),
]


class ExecutionsQuery(Wire):
    """Which records are asked for."""

    language: (
        Annotated[str, Meta(pattern=f"^{NAME.pattern}$", description="Those of this language.")]
        | UnsetType
    ) = UNSET
    status: (
        Annotated[
            Ended,
            Meta(
                description="Those that ended so.",
                extra_json_schema={"enum": [str(ending) for ending in ENDINGS]},
            ),
        ]
        | UnsetType
    ) = UNSET
    since: (
        Annotated[
            Moment, Meta(description="Those accepted then or later: RFC 3339, with a time zone.")
        ]
        | UnsetType
    ) = UNSET
    until: (
        Annotated[Moment, Meta(description="Those accepted before: RFC 3339, with a time zone.")]
        | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=PAGE, description="How many.")] = 20
    cursor: (
        Annotated[
            str,
            Meta(
                min_length=1, max_length=100, description="`next` of the answer before this page."
            ),
        ]
        | UnsetType
    ) = UNSET
    caller: CallerId | UnsetType = UNSET


class UsageQuery(Wire):
    """Which days are asked for."""

    since: (
        Annotated[Day, Meta(description="The first day, UTC; without it, the 30 to `until`.")]
        | UnsetType
    ) = UNSET
    until: Annotated[Day, Meta(description="The last day, UTC; without it, today.")] | UnsetType = (
        UNSET
    )
    caller: CallerId | UnsetType = UNSET


class Piece(Value):
    """Content that was kept: text, or base64 of what is not UTF-8."""

    content: str
    encoding: Encoding


class KeptContent(Value):
    """What a program was given and what it said, as far as it was kept."""

    files: tuple[AnswerFile, ...] | None
    args: tuple[str, ...] | None
    stdin: Piece | None
    stdout: Piece | None
    stderr: Piece | None
    truncated: bool
    """Something was cut off."""


class ExecutionInfo(Value):
    """The record of a run that is over."""

    id: str
    caller: str
    language: str
    status: Ended
    """How it ended; `cancelled` if its client hung up, `error` if SoulBox failed."""
    created_at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    """When it was accepted, UTC."""
    node: str
    """The instance that it ran on."""
    request_id: str
    error: str | None
    """The code of SoulBox' failure."""
    exit_code: int | None
    signal: str | None
    usage: Usage | None
    charged_cpu_seconds: float
    """CPU time, what came before the program included; what it can have used if it was cut off."""
    timings: Timings | None


class ExecutionAnswer(ExecutionInfo):
    """The record of a run that is over, with what was kept of its content."""

    content: KeptContent | None


class ExecutionList(Value):
    """Records, the newest first."""

    executions: tuple[ExecutionInfo, ...]
    next: str | None
    """The cursor of those after them; null if there are none."""


class UsedInAll(Value):
    """What was used on all of the days together."""

    runs: int
    ok: int
    """Those of them that ended so."""
    cpu_seconds: float
    wall_seconds: float


class UsedOnDay(UsedInAll):
    """What was used on a day."""

    day: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    """UTC; that on which the runs were accepted."""


class UsageAnswer(Value):
    """What was used on the days on which there was anything."""

    days: tuple[UsedOnDay, ...]
    total: UsedInAll
