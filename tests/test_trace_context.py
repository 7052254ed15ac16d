from contextvars import copy_context

import pytest

from soulbox_core import trace_context
from soulbox_core.trace_context import TraceContext

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def after(traceparent: bytes | None, tracestate: bytes | None = None) -> TraceContext:
    def served() -> TraceContext:
        trace_context.begin(traceparent, tracestate)
        return trace_context.current()

    return copy_context().run(served)


def test_what_a_client_says_is_passed_on() -> None:
    assert after(PARENT.encode(), b"vendor=1") == TraceContext(TRACE, PARENT, "vendor=1")
    assert after(PARENT.encode()) == TraceContext(TRACE, PARENT, "")


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        b"",
        b"garbage",
        PARENT.upper().encode(),
        PARENT[:-1].encode(),
        PARENT.replace("00-", "ff-", 1).encode(),
        f"{PARENT}-more".encode(),
        f"{PARENT}\n".encode(),
        PARENT.replace(TRACE, "0" * 32).encode(),
        PARENT.replace("00f067aa0ba902b7", "0" * 16).encode(),
    ],
)
def test_what_is_no_trace_context_is_as_good_as_none(traceparent: bytes | None) -> None:
    assert after(traceparent, b"vendor=1") == TraceContext()


def test_a_later_version_may_say_more() -> None:
    assert after(f"cc{PARENT[2:]}-more".encode()).trace_id == TRACE


@pytest.mark.parametrize(
    "state",
    [b"a=1,", b"a=1 , b@c=2", b"1a/b@v=x y", b"", b",".join(b"k%d=v" % n for n in range(32))],
)
def test_a_state_of_any_vendor_is_passed_on(state: bytes) -> None:
    assert after(PARENT.encode(), state).tracestate == state.decode()


@pytest.mark.parametrize(
    "state", [b"a", b"A=1", b"a=1\n", b"a=\xe9", b"=1", b"a=b=c", b",".join([b"k=v"] * 33)]
)
def test_a_state_that_is_none_is_left_out(state: bytes) -> None:
    assert after(PARENT.encode(), state) == TraceContext(TRACE, PARENT, "")


def test_a_state_that_is_too_long_is_left_out() -> None:
    assert after(PARENT.encode(), b"a=" + b"x" * 600) == TraceContext(TRACE, PARENT, "")


def test_a_request_after_another_on_its_task_is_in_no_trace_of_that_one() -> None:
    def both() -> TraceContext:
        trace_context.begin(PARENT.encode(), None)
        trace_context.begin(None, None)
        return trace_context.current()

    assert copy_context().run(both) == TraceContext()


def test_headers_that_come_twice() -> None:
    one = (b"traceparent", PARENT.encode())
    states = ((b"tracestate", b"a=1"), (b"tracestate", b"b=2"))
    assert trace_context.headers_of((one, (b"host", b"x"))) == (PARENT.encode(), None)
    assert trace_context.headers_of((one, *states)) == (PARENT.encode(), b"a=1,b=2")
    assert trace_context.headers_of((one, one)) == (None, None)
