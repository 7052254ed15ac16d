"""The id of the request that is being served, for every line that is logged meanwhile."""

import re
from contextvars import ContextVar
from secrets import token_hex

WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("soulbox_request_id", default="")


def chosen(asked: bytes | None) -> str:
    """The id that a client asks for, if it may go into answers and logs; else a new one."""
    if asked is not None and WELL_FORMED.fullmatch(asked):
        return str(asked, "ascii")
    return token_hex(8)


def begin(request_id: str) -> None:
    """From here on this task, and every task that it makes, serves that request."""
    _current.set(request_id)


def current() -> str:
    """The request's id; empty outside of one."""
    return _current.get()

