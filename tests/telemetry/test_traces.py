import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import copy_context

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from soulbox_core import trace_context
from soulbox_core.model import Compilation, Timings
from soulbox_core.report import Report
from soulbox_core.telemetry.traces import CLOSING_SECONDS, Traces
from tests.journal.samples import NOW, report
from tests.loop import on_loop
from tests.samples import outcome
from tests.telemetry.receiver import Receiver, attributes, receiving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
NANOSECOND = 1e-9


@asynccontextmanager
async def tracing(ratio: float = 1.0) -> AsyncIterator[tuple[Traces, Receiver]]:
    with receiving() as receiver:
        traces = Traces(receiver.url, ratio, "node-1", "1.2.3")
        try:
            yield traces, receiver
        finally:
            await traces.close()


async def ended(traces: Traces, told: Report, traceparent: str | None = None) -> str:
    """Tell of a run as its request's task does; the trace that it belongs to afterwards."""

    def served() -> str:
        trace_context.begin(None if traceparent is None else traceparent.encode(), None)
        traces.ended(told)
        return trace_context.current().trace_id

    return copy_context().run(served)


def seconds(span: Span) -> tuple[float, float]:
    """Beginning, since the run was accepted, and length."""
    return (
        round(span.start_time_unix_nano * NANOSECOND - NOW, 3),
        round((span.end_time_unix_nano - span.start_time_unix_nano) * NANOSECOND, 3),
    )


@on_loop
async def test_a_run_is_a_span_with_its_stages_below_it() -> None:
    async with tracing() as (traces, receiver):
        trace_id = await ended(traces, report())
        await traces.close()
        (run,) = receiver.named("execute_code")
        assert seconds(run) == (0.0, 0.8)
        assert run.trace_id.hex() == trace_id
        assert run.parent_span_id == b""
        stages = [span for span in receiver.spans if span is not run]
        assert {(span.name, seconds(span)) for span in stages} == {
            ("queue", (0.0, 0.1)),
            ("acquire_cell", (0.1, 0.2)),
            ("execute_in_cell", (0.3, 0.5)),
        }
        for span in stages:
            assert (span.trace_id, span.parent_span_id) == (run.trace_id, run.span_id)
        assert receiver.resources[0]["service.name"] == "soulbox"
        assert receiver.resources[0]["service.instance.id"] == "node-1"


@on_loop
async def test_compiling_is_a_stage_where_there_was_any() -> None:
    timings = Timings(
        queue_seconds=0.0,
        install_seconds=0.1,
        compile_seconds=0.2,
        claim_seconds=0.0,
        run_seconds=0.1,
    )
    came = outcome(timings=timings, compilation=Compilation(cached=True, output=b"secret"))
    async with tracing() as (traces, receiver):
        await ended(traces, report(outcome=came))
        await traces.close()
        (compiling,) = receiver.named("compile")
        assert seconds(compiling) == (0.1, 0.2)
        (run,) = receiver.named("execute_code")
        assert attributes(run)["soulbox.compile.cached"] is True


@on_loop
async def test_a_span_says_who_ran_what_within_which_limits_and_what_came_of_it() -> None:
    async with tracing() as (traces, receiver):
        await ended(traces, report(stdout=b"secret"))
        await traces.close()
        (run,) = receiver.named("execute_code")
        found = attributes(run)
        assert found["soulbox.language"] == "lua"
        assert found["soulbox.status"] == "ok"
        assert found["soulbox.caller"] == "key:0123456789ab"
        assert found["soulbox.limits.memory_bytes"] == 256 << 20
        assert found["soulbox.limits.cpus"] == 1.0
        assert found["soulbox.usage.cpu_seconds"] == 0.25
        assert found["process.exit.code"] == 0
        assert run.status.code == Status.STATUS_CODE_UNSET
        assert b"secret" not in run.SerializeToString()
        assert b"Hello" not in run.SerializeToString()


@on_loop
async def test_a_failure_of_ours_is_an_error_without_stages() -> None:
    async with tracing() as (traces, receiver):
        await ended(traces, report(outcome=None, failure="cell_lost"))
        await traces.close()
        (run,) = receiver.spans
        assert (run.status.code, run.status.message) == (Status.STATUS_CODE_ERROR, "cell_lost")


@on_loop
async def test_a_trace_that_began_elsewhere_goes_on_here() -> None:
    async with tracing(ratio=0.0) as (traces, receiver):
        assert await ended(traces, report(), f"00-{TRACE}-{SPAN}-01") == TRACE
        await ended(traces, report(), f"00-{TRACE}-{SPAN}-00")  # not sampled, says the client
        await ended(traces, report())  # ours, of which none is kept
        await traces.close()
        (run,) = receiver.named("execute_code")
        assert (run.trace_id.hex(), run.parent_span_id.hex()) == (TRACE, SPAN)


@on_loop
async def test_a_receiver_that_is_gone_holds_nobody_up() -> None:
    with receiving() as receiver:
        gone = receiver.url
    traces = Traces(gone, 1.0, "node-1", "1.2.3")
    for _ in range(100):
        await ended(traces, report())
    async with asyncio.timeout(20):
        await traces.close()


@on_loop
async def test_a_receiver_that_never_answers_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        traces = Traces(url, 1.0, "node-1", "1.2.3")
        for _ in range(1500):  # three batches
            await ended(traces, report())
        async with asyncio.timeout(3 * CLOSING_SECONDS):
            await traces.close()
