"""What the database keeps."""

from typing import Annotated

import msgspec

from soulbox_core.model import Status, Timings, Usage, Value
from soulbox_core.report import CANCELLED, ERROR


class ApiKey(Value):
    """An API key, without the secret part of it."""

    id: str
    """Also its prefix, by which people tell keys apart."""
    digest: str
    """SHA-256 of the whole key, in hex. It holds 256 random bits, so there is nothing to guess
    that a slow hash would make slower."""
    name: str
    scopes: tuple[str, ...]
    policy: str
    created_at: float
    """Seconds since the epoch, as all times here."""
    expires_at: float | None = None
    revoked_at: float | None = None

    def usable(self, now: float) -> bool:
        """Whether who shows it is let in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Family(Value):
    """The refresh tokens that follow from one another, of which the last one is good."""

    id: str
    """Part of its refresh tokens, and nowhere else to be had."""
    session: str
    """Names the family in access tokens."""
    key_id: str
    """The API key that it was begun with."""
    scopes: tuple[str, ...]
    digest: str
    """SHA-256 of the good refresh token, in hex."""
    created_at: float
    expires_at: float
    revoked_at: float | None = None

    def usable(self, now: float) -> bool:
        """Whether its tokens are any good."""
        return self.revoked_at is None and now < self.expires_at


ENDINGS = (*Status, CANCELLED, ERROR)
"""How a run ended: as it did by itself, or its client hung up, or SoulBox failed."""
Ended = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(ENDINGS)})$")]


class Content(Value):
    """What a program was given and what it said, cut to what may be kept."""

    files: dict[str, bytes] | None = None
    args: tuple[str, ...] | None = None
    stdin: bytes | None = None
    stdout: bytes | None = None
    stderr: bytes | None = None
    truncated: bool = False
    """Something was cut off."""


class Execution(Value):
    """The record of a run that is over."""

    id: str
    """The run's: a UUID version 7."""
    caller: str
    language: str
    status: Ended
    created_at: float
    """When it was accepted."""
    node: str
    """The instance that it ran on."""
    request_id: str
    error: str | None = None
    """The code of SoulBox' failure."""
    exit_code: int | None = None
    signal: str | None = None
    usage: Usage | None = None
    """None if it did not come to an end of its own."""
    charged_cpu_seconds: float = 0.0
    """See `report.Report`."""
    timings: Timings | None = None
    content: Content | None = None
    """None unless a setting has it kept."""


class ExecutionQuery(Value):
    """Which records of one caller are asked for: the newest first."""

    caller: str
    language: str | None = None
    status: Ended | None = None
    since: float | None = None
    """Accepted then or later."""
    until: float | None = None
    """Accepted before."""
    before: str | None = None
    """Those that come after the one of this id: the last one of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20


class UsageOfDay(Value):
    """What a caller used on a day, all languages and nodes together."""

    caller: str
    day: str
    """UTC, as 2026-11-25; that on which the runs were accepted."""
    runs: int
    ok: int
    """Those of them that ended so."""
    cpu_seconds: float
    wall_seconds: float
