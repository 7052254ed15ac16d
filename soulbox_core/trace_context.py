"""The trace that the request which is being served belongs to, as its client said.

https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from typing import NamedTuple

_IDS = rb"-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_TRACEPARENT = re.compile(rb"00" + _IDS + rb"|(?!00|ff)[0-9a-f]{2}" + _IDS + rb"(?:-[!-~]*)?")
"""Of version 00, or of a later one, which may say more after that (section 3.2.4)."""
_TRACESTATE_BYTES = 512
_MEMBER = re.compile(
    rb"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    rb"=[ -+\--<>-~]{0,255}[!-+\--<>-~]"
)
_MEMBERS = 32
"""Of a tracestate (section 3.3.1.1), and what one is like (3.3.1.3)."""


class TraceContext(NamedTuple):
    """What a client said, as it said it."""

    trace_id: str = ""
    """32 hexadecimal digits; empty outside of a trace."""
    traceparent: str = ""
    tracestate: str = ""


_NONE = TraceContext()
_current: ContextVar[TraceContext] = ContextVar("soulbox_trace_context", default=_NONE)


def headers_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes | None, bytes | None]:
    """A request's traceparent and tracestate. Two of the first are none, of the second one list
    (sections 3.2.1 and 3.3.1)."""
    parents, states = [], []
    for name, value in headers:
        if name == b"traceparent":
            parents.append(value)
        elif name == b"tracestate":
            states.append(value)
    return parents[0] if len(parents) == 1 else None, b",".join(states) if states else None


def begin(traceparent: bytes | None, tracestate: bytes | None) -> None:
    """From here on this task, and every task that it makes, belongs to that trace, or to none.

    What is no trace context is as good as none (section 4.3).
    """
    match = None if traceparent is None else _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        _current.set(_NONE)
        return
    state = tracestate if tracestate is not None and _is_state(tracestate) else b""
    trace_id = match[1] or match[2]
    _current.set(TraceContext(*(str(each, "latin-1") for each in (trace_id, match[0], state))))


def _is_state(text: bytes) -> bool:
    members = [member.strip(b" \t") for member in text.split(b",")]
    return (
        len(text) <= _TRACESTATE_BYTES
        and len(members) <= _MEMBERS
        and all(not member or _MEMBER.fullmatch(member) for member in members)
    )


def began_here(trace_id: str) -> None:
    """The request belongs to a trace that was begun for it."""
    _current.set(TraceContext(trace_id))


def current() -> TraceContext:
    """The trace; its id is empty outside of one."""
    return _current.get()
