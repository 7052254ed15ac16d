"""GET /v1/executions and /v1/usage: what callers ran, and what it took."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from math import fsum
from time import time

import msgspec
from msgspec import UNSET, UnsetType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from soulbox_core.api.answers import answer_file, readable
from soulbox_core.api.executions_schema import (
    DAYS,
    ExecutionAnswer,
    ExecutionInfo,
    ExecutionList,
    ExecutionsQuery,
    KeptContent,
    Piece,
    UsageAnswer,
    UsageQuery,
    UsedInAll,
    UsedOnDay,
)
from soulbox_core.api.guard import caller_of
from soulbox_core.api.held import HeldResponse
from soulbox_core.api.hold import Hold
from soulbox_core.api.query import query_as
from soulbox_core.api.streams import JSON
from soulbox_core.errors import Forbidden, InvalidRequest
from soulbox_core.model import Caller, OutputFile
from soulbox_core.scopes import ADMIN, held
from soulbox_core.store.port import Executions
from soulbox_core.store.records import Content, Execution, ExecutionQuery, UsageOfDay

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_MONTH = 30
_HALF_MICROSECOND = 0.5e-6
"""Times are told in whole microseconds, rounded: one that was told finds its run again."""


class ExecutionsEndpoints:
    """Reads, asks, answers. Who is no admin sees what is its own, and of others' not even that it
    is there.

    :param hold: counts the answers, until their clients have them
    :param clock: seconds since the epoch
    """

    def __init__(
        self, executions: Executions, hold: Hold, clock: Callable[[], float] = time
    ) -> None:
        self._executions = executions
        self._hold = hold
        self._clock = clock

    async def list_executions(self, request: Request) -> Response:
        asked = query_as(request.scope["query_string"], ExecutionsQuery)
        found = await self._executions.executions(
            ExecutionQuery(
                caller=_whose(asked.caller, caller_of(request.scope)),
                language=_given(asked.language),
                status=_given(asked.status),
                since=_moment(asked.since, "since"),
                until=_moment(asked.until, "until"),
                before=None if asked.cursor is UNSET else _id_in(asked.cursor),
                limit=asked.limit + 1,  # one more tells whether there is another page
            )
        )
        page = found[: asked.limit]
        listed = ExecutionList(
            executions=tuple(map(_info, page)),
            next=_cursor(page[-1].id) if len(found) > len(page) else None,
        )
        return self._held(listed)

    async def execution(self, request: Request) -> Response:
        query_as(request.scope["query_string"], _Nothing)
        caller = caller_of(request.scope)
        id = request.path_params["execution"]
        found = await self._executions.execution(id) if _ID.fullmatch(id) else None
        if found is None or not _may_see(caller, found.caller):
            raise HTTPException(404, "there is no such execution of yours")
        info = msgspec.structs.asdict(_info(found))
        return self._held(ExecutionAnswer(**info, content=_content(found.content)))

    async def usage(self, request: Request) -> Response:
        asked = query_as(request.scope["query_string"], UsageQuery)
        since, until = self._days(asked)
        whose = _whose(asked.caller, caller_of(request.scope))
        days = await self._executions.usage(whose, since.isoformat(), until.isoformat())
        used = UsageAnswer(days=tuple(map(_on_day, days)), total=_in_all(days))
        return self._held(used)

    def _held(self, answer: msgspec.Struct) -> Response:
        return HeldResponse(msgspec.json.encode(answer), JSON, self._hold)

    def _days(self, asked: UsageQuery) -> tuple[date, date]:
        """The first and the last day."""
        today = datetime.fromtimestamp(self._clock(), UTC).date()
        until = today if asked.until is UNSET else _day(asked.until, "until")
        if asked.since is UNSET:
            since = date.fromordinal(max(1, until.toordinal() - _MONTH + 1))
        else:
            since = _day(asked.since, "since")
        if since > until:
            raise InvalidRequest(f"since = {since} is after until = {until}", field="query.since")
        if until - since >= timedelta(days=DAYS):
            raise InvalidRequest(f"ask for {DAYS} days at most", field="query.since")
        return since, until


class _Nothing(msgspec.Struct, frozen=True):
    """The query of a path that has no parameters."""


def _given(value: str | UnsetType) -> str | None:
    return None if value is UNSET else value


def _whose(asked: str | UnsetType, caller: Caller) -> str:
    """Whose records are asked for.

    :raises Forbidden: they are somebody else's
    """
    if asked is UNSET:
        return caller.id
    if not _may_see(caller, asked):
        raise Forbidden(f"another caller's records take a key or token with the scope {ADMIN!r}")
    return asked


def _may_see(caller: Caller, owner: str) -> bool:
    return owner == caller.id or ADMIN in held(caller.scopes)


def _moment(text: str | UnsetType, name: str) -> float | None:
    """:raises InvalidRequest: it is not a time"""
    if text is UNSET:
        return None
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidRequest(
            f"{name}: write it as 2026-11-25T08:00:00Z, or with the zone as +01:00, whose + is %2B"
            " in a query",
            field=f"query.{name}",
        )
    return moment.timestamp() - _HALF_MICROSECOND


def _day(text: str, name: str) -> date:
    """:raises InvalidRequest: it is not a day"""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            f"{name}: there is no such day; write it as 2026-11-25", field=f"query.{name}"
        ) from None


def _cursor(id: str) -> str:
    return urlsafe_b64encode(id.encode()).rstrip(b"=").decode()


def _id_in(cursor: str) -> str:
    """:raises InvalidRequest: it is no cursor"""
    try:
        id = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (NotBase64, ValueError):
        id = ""
    if not _ID.fullmatch(id) or _cursor(id) != cursor:
        raise InvalidRequest(
            "cursor: this is none; take `next` of the answer before, as it is, or leave it out",
            field="query.cursor",
        )
    return id


def _time(at: float) -> str:
    """RFC 3339, UTC."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def _info(execution: Execution) -> ExecutionInfo:
    return ExecutionInfo(
        id=execution.id,
        caller=execution.caller,
        language=execution.language,
        status=execution.status,
        created_at=_time(execution.created_at),
        node=execution.node,
        request_id=execution.request_id,
        error=execution.error,
        exit_code=execution.exit_code,
        signal=execution.signal,
        usage=execution.usage,
        charged_cpu_seconds=execution.charged_cpu_seconds,
        timings=execution.timings,
    )


def _content(content: Content | None) -> KeptContent | None:
    if content is None:
        return None
    files = content.files
    return KeptContent(
        files=None
        if files is None
        else tuple(answer_file(OutputFile(path=path, content=files[path])) for path in files),
        args=content.args,
        stdin=_piece(content.stdin),
        stdout=_piece(content.stdout),
        stderr=_piece(content.stderr),
        truncated=content.truncated,
    )


def _piece(data: bytes | None) -> Piece | None:
    if data is None:
        return None
    content, encoding = readable(data)
    return Piece(content=content, encoding=encoding)


def _on_day(used: UsageOfDay) -> UsedOnDay:
    return UsedOnDay(
        day=used.day,
        runs=used.runs,
        ok=used.ok,
        cpu_seconds=used.cpu_seconds,
        wall_seconds=used.wall_seconds,
    )


def _in_all(days: Iterable[UsageOfDay]) -> UsedInAll:
    days = tuple(days)
    return UsedInAll(
        runs=sum(day.runs for day in days),
        ok=sum(day.ok for day in days),
        cpu_seconds=fsum(day.cpu_seconds for day in days),
        wall_seconds=fsum(day.wall_seconds for day in days),
    )
