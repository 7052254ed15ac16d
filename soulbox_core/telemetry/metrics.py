"""Prometheus metrics: what happens is counted as it happens, how things are is read when asked.

Names and units are as https://prometheus.io/docs/practices/naming says. Every label has values
from a short list that is ours: a language on offer, a status, a route's name, a problem's code.
Nothing that a client made up is one.
"""

from collections.abc import Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    disable_created_metrics,
    gc_collector,
    generate_latest,
    platform_collector,
    process_collector,
)

from soulbox_core.model import Outcome
from soulbox_core.report import Refusal, Report, stages
from soulbox_core.telemetry.readings import Reading, Readings

SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)
"""Upper bounds, from a parked hello to the longest run."""
BYTES = tuple(float(1 << power) for power in range(20, 34))
"""Upper bounds, from 1 MiB to 8 GiB."""


class Metrics:
    """Counts runs and answers; a `report.Witness` and a `report.Traffic`.

    :param version: of SoulBox
    """

    def __init__(self, version: str) -> None:
        # Else each counter has a second series with the time of its making, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
        self._registry = registry = CollectorRegistry()
        process_collector.ProcessCollector(registry=registry)
        platform_collector.PlatformCollector(registry=registry)
        gc_collector.GCCollector(registry=registry)
        Info("soulbox_build", "What runs here.", registry=registry).info({"version": version})
        self._executions = Counter(
            "soulbox_executions",
            "Runs that are over, by how they ended.",
            ("language", "status"),
            registry=registry,
        )
        self._durations = _histogram(
            registry,
            "soulbox_execution_duration_seconds",
            "From accepting a run to its end.",
            ("language", "status"),
        )
        self._stages = _histogram(
            registry,
            "soulbox_execution_stage_duration_seconds",
            "Where the time of runs went: queue, install, compile, claim, run, teardown.",
            ("language", "stage"),
        )
        self._cpu = Counter(
            "soulbox_execution_cpu_seconds",
            "CPU time of the programs that were run.",
            ("language",),
            registry=registry,
        )
        self._memory = _histogram(
            registry,
            "soulbox_execution_memory_peak_bytes",
            "Most memory that a run had at one time.",
            ("language",),
            BYTES,
        )
        self._egress = Counter(
            "soulbox_egress_bytes",
            "What runs sent to other hosts and received from them.",
            ("direction",),
            registry=registry,
        )
        self._visits = Counter(
            "soulbox_egress_connections",
            "Connections that runs made or were refused.",
            ("allowed",),
            registry=registry,
        )
        self._answers = _histogram(
            registry,
            "soulbox_request_duration_seconds",
            "Requests by HTTP, WebSocket and gRPC, by what was answered.",
            ("protocol", "route", "code"),
        )
        self._answers_of: dict[tuple[str, str, str], Histogram] = {}
        """By their labels, which the library takes a microsecond to put together."""
        self._rejections = Counter(
            "soulbox_rejections",
            "Requests that were refused or failed, by the code of their problem.",
            ("reason",),
            registry=registry,
        )
        self._rate_limited = Counter(
            "soulbox_rate_limit_hits",
            "Requests that found a token bucket empty.",
            ("bucket",),
            registry=registry,
        )

    def watch(self, readings: Iterable[Reading]) -> None:
        """Have these read as well, each time that somebody asks."""
        self._registry.register(Readings(readings))

    def text(self) -> bytes:
        """All of it in Prometheus' text format. Takes milliseconds; any thread may call it."""
        return generate_latest(self._registry)

    def ended(self, report: Report) -> None:
        """See `report.Witness.ended`."""
        language, status = report.request.language, report.status
        self._executions.labels(language, status).inc()
        self._durations.labels(language, status).observe(report.seconds)
        if report.outcome is not None:
            self._ended_well(language, report.outcome)

    def torn_down(self, language: str, seconds: float) -> None:
        """See `report.Witness.torn_down`."""
        self._stages.labels(language, "teardown").observe(seconds)

    def answered(
        self, protocol: str, route: str, code: str, seconds: float, refusal: Refusal | None
    ) -> None:
        """See `report.Traffic.answered`."""
        key = (protocol, route, code)
        answers = self._answers_of.get(key)
        if answers is None:
            answers = self._answers_of[key] = self._answers.labels(*key)
        answers.observe(seconds)
        if refusal is not None:
            self._rejections.labels(refusal.code).inc()
            if refusal.bucket is not None:
                self._rate_limited.labels(refusal.bucket).inc()

    def _ended_well(self, language: str, outcome: Outcome) -> None:
        for stage, seconds in stages(outcome):
            self._stages.labels(language, stage).observe(seconds)
        self._cpu.labels(language).inc(outcome.usage.cpu_seconds)
        self._memory.labels(language).observe(outcome.usage.memory_peak_bytes)
        for visit in outcome.network or ():
            self._egress.labels("sent").inc(visit.sent_bytes)
            self._egress.labels("received").inc(visit.received_bytes)
            # A refused one was no connection, and is told of once.
            self._visits.labels(str(visit.allowed).lower()).inc(max(visit.connections, 1))


def _histogram(
    registry: CollectorRegistry,
    name: str,
    documentation: str,
    labels: Sequence[str],
    buckets: Sequence[float] = SECONDS,
) -> Histogram:
    return Histogram(name, documentation, labels, buckets=buckets, registry=registry)
