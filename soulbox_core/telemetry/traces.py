"""OpenTelemetry traces of runs, by OTLP over HTTP.

`execute_code` is a run from its acceptance to its end, below it `queue`, `install`, `compile`,
`acquire_cell` and `execute_in_cell`, for those that there were. The spans of a run are made when
it is over, out of what was measured anyway.
"""

import asyncio
from collections.abc import Iterator

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    SpanKind,
    Status,
    StatusCode,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from soulbox_core import request_id, trace_context
from soulbox_core.model import Limits
from soulbox_core.report import ERROR, Report, stages

PATH = "/v1/traces"
"""Of an OTLP receiver (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request)."""
CLOSING_SECONDS = 5.0
"""What the last spans have at the end, and any request to the receiver."""

_NANOSECONDS = 1_000_000_000
_SPANS = {
    "queue": "queue",
    "install": "install",
    "compile": "compile",
    "claim": "acquire_cell",
    "run": "execute_in_cell",
}
"""What the stages of a run are called in traces."""
_LIMITS = tuple((name, f"soulbox.limits.{name}") for name in Limits.__struct_fields__)


class Traces:
    """A `report.Witness` that makes spans. They are sent by a thread, some seconds later; what a
    receiver does not take in time is dropped.

    :param otlp: base URL of the receiver
    :param ratio: share of the traces that begin here which is kept
    :param node: names the instance
    :param version: of SoulBox
    """

    def __init__(self, otlp: str, ratio: float, node: str, version: str) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            resource=Resource.create(
                {
                    "service.name": "soulbox",
                    "service.instance.id": node,
                    "service.version": version,
                }
            ),
            shutdown_on_exit=False,
        )
        self._exporter = OTLPSpanExporter(endpoint=otlp.rstrip("/") + PATH, timeout=CLOSING_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("soulbox", version)
        self._propagator = TraceContextTextMapPropagator()

    def ended(self, report: Report) -> None:
        """See `report.Witness.ended`."""
        theirs = trace_context.current()
        parent = None
        if theirs.traceparent:
            carrier = {"traceparent": theirs.traceparent, "tracestate": theirs.tracestate}
            parent = self._propagator.extract(carrier)
        began = int(report.began_at * _NANOSECONDS)
        span = self._tracer.start_span(
            "execute_code", context=parent, kind=SpanKind.SERVER, start_time=began
        )
        if not theirs.trace_id:
            trace_context.began_here(format_trace_id(span.get_span_context().trace_id))
        if span.is_recording():
            span.set_attributes(dict(_attributes(report)))
            if report.status == ERROR:
                span.set_status(Status(StatusCode.ERROR, report.failure))
            if report.outcome is not None:
                inside = set_span_in_context(span)
                start = report.began_at
                for stage, seconds in stages(report.outcome):
                    self._stage(_SPANS[stage], inside, start, seconds)
                    start += seconds
        span.end(began + int(report.seconds * _NANOSECONDS))

    def _stage(self, name: str, inside: Context, start: float, seconds: float) -> None:
        start_time = int(start * _NANOSECONDS)
        span = self._tracer.start_span(name, context=inside, start_time=start_time)
        span.end(start_time + int(seconds * _NANOSECONDS))

    def torn_down(self, language: str, seconds: float) -> None:
        """See `report.Witness.torn_down`."""

    async def close(self) -> None:
        """Send what was not sent yet, as far as that goes in time."""
        sending = asyncio.create_task(asyncio.to_thread(self._provider.force_flush))
        await asyncio.wait((sending,), timeout=CLOSING_SECONDS)
        # Whatever it goes on with fails at once now, but for what is on its way: the library's own
        # bounds on time are not kept by it.
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # it has no types
        await asyncio.to_thread(self._provider.shutdown)


def _attributes(report: Report) -> Iterator[tuple[str, AttributeValue]]:
    yield "soulbox.execution.id", report.id
    yield "soulbox.request.id", request_id.current()
    yield "soulbox.language", report.request.language
    yield "soulbox.caller", report.caller.id
    yield "soulbox.policy", report.caller.policy
    yield "soulbox.status", report.status
    for name, attribute in _LIMITS:
        yield attribute, getattr(report.limits, name)
    outcome = report.outcome
    if outcome is None:
        return
    yield "soulbox.usage.cpu_seconds", outcome.usage.cpu_seconds
    yield "soulbox.usage.memory_peak_bytes", outcome.usage.memory_peak_bytes
    if outcome.exit_code is not None:
        yield "process.exit.code", outcome.exit_code
    if outcome.signal is not None:
        yield "soulbox.signal", outcome.signal
    if outcome.compilation is not None:
        yield "soulbox.compile.cached", outcome.compilation.cached
