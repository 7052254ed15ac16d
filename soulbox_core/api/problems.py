"""From an exception to RFC 9457 problem details: the one table of every error answer."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from msgspec import UNSET, UnsetType
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from soulbox_core import errors
from soulbox_core.api.rates import rate_headers
from soulbox_core.errors import (
    LimitAboveCeiling,
    Overloaded,
    RequestError,
    SandboxError,
    UnknownLanguage,
)
from soulbox_core.model import Value
from soulbox_core.report import Refusal

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "soulbox.request_id"
"""Key of the request's id in its ASGI scope."""
REFUSAL = "soulbox.refusal"
"""Key, in the same place, of why it was not answered as its client wished."""

log = logging.getLogger("soulbox.api")


class Row(msgspec.Struct, frozen=True):
    """One line of the table.

    `detail` is said in place of the exception's own words, which may tell what is nobody's
    business; None lets the exception speak, because it was worded for the client.
    """

    status: int
    code: str
    title: str
    detail: str | None = None


def _refusal(kind: type[RequestError], status: int, title: str) -> Row:
    return Row(status, kind.code, title)


def _failure(kind: type[errors.SandboxError], status: int, title: str, detail: str) -> Row:
    return Row(status, kind.code, title, detail)


_NOT_YOU = "the program is not to blame; "
_TRY_AGAIN = _NOT_YOU + "try again"
_TELL = _NOT_YOU + "tell the operator the request id"

TABLE: Mapping[type[Exception], Row] = {
    errors.RequestError: _refusal(RequestError, 400, "The request was refused"),
    errors.InvalidRequest: _refusal(errors.InvalidRequest, 400, "The request is not valid"),
    errors.LimitAboveCeiling: _refusal(LimitAboveCeiling, 422, "A limit is above its ceiling"),
    errors.TooLarge: _refusal(errors.TooLarge, 413, "The request is too large"),
    errors.UnsupportedMedia: _refusal(
        errors.UnsupportedMedia, 415, "The body is of a kind that is not read here"
    ),
    errors.UnknownLanguage: _refusal(UnknownLanguage, 404, "There is no such language"),
    errors.DependenciesRefused: _refusal(
        errors.DependenciesRefused, 422, "These packages may not be installed here"
    ),
    errors.Unauthenticated: _refusal(errors.Unauthenticated, 401, "No valid credential was sent"),
    errors.Forbidden: _refusal(errors.Forbidden, 403, "The caller may not do this"),
    errors.IdempotencyMismatch: _refusal(
        errors.IdempotencyMismatch, 422, "The Idempotency-Key belongs to another request"
    ),
    errors.RateLimited: _refusal(errors.RateLimited, 429, "Too many requests"),
    errors.QuotaExceeded: _refusal(errors.QuotaExceeded, 429, "The caller's quota is used up"),
    errors.Overloaded: _refusal(Overloaded, 503, "There is no room for the run now"),
    errors.SandboxError: _failure(errors.SandboxError, 500, "The sandbox failed", _TELL),
    errors.CellLost: _failure(errors.CellLost, 503, "The cell died under the run", _TRY_AGAIN),
    errors.CgroupError: _failure(errors.CgroupError, 500, "The limits could not be set", _TELL),
    errors.ContainerError: _failure(
        errors.ContainerError, 503, "No cell could be made", _TRY_AGAIN
    ),
    errors.ImageError: _failure(errors.ImageError, 503, "The language's image is not there", _TELL),
    errors.StoreFailed: _failure(errors.StoreFailed, 503, "The database failed", _TRY_AGAIN),
    errors.LanguageError: _failure(
        errors.LanguageError, 500, "The language's plugin failed", _TELL
    ),
    Exception: Row(500, "internal_error", "Something failed inside SoulBox", _TELL),
}

_AGAIN = (429, 503)
"""Statuses after which trying again later is worth it."""

HTTP_STATUSES = (404, 405, 408, 421, 431)
"""The statuses that routing and reading a request end in; their codes are the status' names."""


class Problem(Value):
    """RFC 9457 problem details. `code` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    field: str | UnsetType = UNSET
    known: tuple[str, ...] | UnsetType = UNSET
    limit: str | UnsetType = UNSET
    asked: float | UnsetType = UNSET
    ceiling: float | UnsetType = UNSET
    retry_after_seconds: int | UnsetType = UNSET


def row_for(error: Exception) -> Row:
    """The line of the table for an exception: that of its nearest class."""
    if isinstance(error, HTTPException):
        return http_row(error.status_code)
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def http_row(status: int) -> Row:
    """The line for a status that has no exception class of its own."""
    known = HTTPStatus(status)
    return Row(status, known.name.lower(), known.phrase)


def problem_for(error: Exception, request_id: str) -> Problem:
    """Word an exception for the client."""
    row = row_for(error)
    return Problem(
        type=f"/docs#{row.code}",
        title=row.title,
        status=row.status,
        detail=row.detail or getattr(error, "detail", "") or row.title,
        code=row.code,
        instance=f"urn:soulbox:request:{request_id}",
        field=getattr(error, "field", None) or UNSET,
        known=error.known if isinstance(error, UnknownLanguage) else UNSET,
        limit=error.limit if isinstance(error, LimitAboveCeiling) else UNSET,
        asked=error.asked if isinstance(error, LimitAboveCeiling) else UNSET,
        ceiling=error.ceiling if isinstance(error, LimitAboveCeiling) else UNSET,
        retry_after_seconds=_retry_after(error) if row.status in _AGAIN else UNSET,
    )


def report(error: Exception, request_id: str) -> Refusal:
    """Log what is our fault, then let go of what the error saw on its way.

    A refused request is not worth a line, a failure that has a name one: clients can bring
    many of them about. What nobody foresaw has its traceback.

    :return: what is counted of it
    """
    if isinstance(error, SandboxError):
        log.error("request %s failed: %s: %s", request_id, type(error).__name__, error)
    elif not isinstance(error, RequestError | HTTPException):
        log.error("request %s failed: %s", request_id, type(error).__name__, exc_info=error)
    # Its frames hold the request, which nobody counts any more, while the answer is sent.
    error.__traceback__ = error.__context__ = error.__cause__ = None
    bucket = error.standing.share if isinstance(error, errors.RateLimited) else None
    return Refusal(code=row_for(error).code, bucket=bucket)


async def answer(connection: HTTPConnection, error: Exception) -> Response:
    """Starlette's exception handler: the whole answer to a request that failed."""
    request_id = connection.scope[REQUEST_ID]
    connection.scope[REFUSAL] = report(error, request_id)
    problem = problem_for(error, request_id)
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=_headers(error),
    )


def _headers(error: Exception) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    if isinstance(error, HTTPException):
        headers.update(error.headers or {})
    elif isinstance(error, errors.UnsupportedMedia):
        # RFC 9110 section 15.5.16: says what encoding would have been read.
        headers["accept-encoding"] = "identity"
    elif isinstance(error, errors.Unauthenticated):
        # RFC 6750 section 3; nothing of what was wrong.
        headers["www-authenticate"] = 'Bearer realm="soulbox"'
    if isinstance(error, errors.RateLimited):
        named = rate_headers((error.standing,))
        headers.update((name.decode(), value.decode()) for name, value in named)
    if row_for(error).status in _AGAIN:
        headers["retry-after"] = str(_retry_after(error))
    return headers


def _retry_after(error: Exception) -> int:
    return int(getattr(error, "retry_after_seconds", 1))
