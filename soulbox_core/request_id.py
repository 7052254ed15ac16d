"""The id of the request that is being served, for every line that is logged meanwhile."""

import re
from contextvars import ContextVar
from random import Random

WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_RANDOM = Random()  # noqa: S311, an id hides nothing, and os.urandom is a call to the kernel
_current: ContextVar[str] = ContextVar("soulbox_request_id", default="")


def chosen(asked: bytes | None) -> str:
    """The id that a client asks for, if it may go into answers and logs; else a new one."""
    if asked is not None and WELL_FORMED.fullmatch(asked):
        return str(asked, "ascii")
    return f"{_RANDOM.getrandbits(64):016x}"


def begin(request_id: str) -> None:
    """From here on this task, and every task that it makes, serves that request."""
    _current.set(request_id)


def current() -> str:
    """The request's id; empty outside of one."""
    return _current.get()
