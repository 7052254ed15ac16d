import re
import subprocess
import threading
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from soulbox_core.model import Status, Visit
from soulbox_core.report import Refusal
from soulbox_core.telemetry.metrics import Metrics
from soulbox_core.telemetry.readings import Reading
from tests.journal.samples import report
from tests.samples import outcome


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def samples(metrics: Metrics) -> Iterator[tuple[str, float]]:
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            yield f"{sample.name}{{{labels}}}", sample.value


def value(metrics: Metrics, name: str) -> float:
    return dict(samples(metrics))[name]


def test_a_run_is_counted_by_language_and_status(metrics: Metrics) -> None:
    metrics.ended(report())
    metrics.ended(report(outcome=outcome(status=Status.MEMORY_EXCEEDED)))
    metrics.ended(report(outcome=None, failure="cell_lost"))
    metrics.ended(report(outcome=None, failure="cancelled"))
    for status in ("ok", "memory_exceeded", "error", "cancelled"):
        labels = f"{{language=lua,status={status}}}"
        assert value(metrics, f"soulbox_executions_total{labels}") == 1
        assert value(metrics, f"soulbox_execution_duration_seconds_count{labels}") == 1
        assert value(metrics, f"soulbox_execution_duration_seconds_sum{labels}") == 0.8


def test_its_time_is_told_by_stage_and_what_there_was_not_is_no_stage(metrics: Metrics) -> None:
    metrics.ended(report())
    metrics.torn_down("lua", 0.003)
    sums = {
        name: number
        for name, number in samples(metrics)
        if name.startswith("soulbox_execution_stage_duration_seconds_sum")
    }
    assert sums == {
        f"soulbox_execution_stage_duration_seconds_sum{{language=lua,stage={stage}}}": seconds
        for stage, seconds in (("queue", 0.1), ("claim", 0.2), ("run", 0.5), ("teardown", 0.003))
    }


def test_what_runs_used_and_sent_is_added_up(metrics: Metrics) -> None:
    visit = Visit(host="a", port=80, allowed=True, connections=2, sent_bytes=10, received_bytes=20)
    refused = Visit(host="b", port=80, allowed=False, connections=0, sent_bytes=0, received_bytes=0)
    for _ in range(2):
        metrics.ended(report(outcome=outcome(network=(visit, refused))))
    assert value(metrics, "soulbox_execution_cpu_seconds_total{language=lua}") == 0.5
    assert value(metrics, "soulbox_execution_memory_peak_bytes_sum{language=lua}") == 2 << 20
    assert value(metrics, "soulbox_egress_bytes_total{direction=sent}") == 20
    assert value(metrics, "soulbox_egress_bytes_total{direction=received}") == 40
    assert value(metrics, "soulbox_egress_connections_total{allowed=true}") == 4
    assert value(metrics, "soulbox_egress_connections_total{allowed=false}") == 2


def test_a_request_is_counted_and_so_is_why_it_was_refused(metrics: Metrics) -> None:
    metrics.answered("http", "run", "200", 0.1, None)
    metrics.answered("http", "run", "429", 0.1, Refusal(code="rate_limited", bucket="caller"))
    metrics.answered("grpc", "execute", "UNAVAILABLE", 0.1, Refusal(code="overloaded"))
    count = "soulbox_request_duration_seconds_count"
    assert value(metrics, f"{count}{{code=200,protocol=http,route=run}}") == 1
    assert value(metrics, f"{count}{{code=UNAVAILABLE,protocol=grpc,route=execute}}") == 1
    assert value(metrics, "soulbox_rejections_total{reason=rate_limited}") == 1
    assert value(metrics, "soulbox_rejections_total{reason=overloaded}") == 1
    assert value(metrics, "soulbox_rate_limit_hits_total{bucket=caller}") == 1


def test_parts_are_read_when_somebody_asks(metrics: Metrics) -> None:
    numbers = {"a": 1.0}

    def read() -> list[tuple[tuple[str, ...], float]]:
        return [((name,), number) for name, number in numbers.items()]

    metrics.watch(
        (
            Reading("gauge", "soulbox_test_things", "Things.", ("kind",), read),
            Reading("counter", "soulbox_test_events", "Events.", ("kind",), read),
        )
    )
    assert value(metrics, "soulbox_test_things{kind=a}") == 1
    numbers |= {"a": 2.0, "b": 3.0}
    assert value(metrics, "soulbox_test_events_total{kind=a}") == 2
    assert value(metrics, "soulbox_test_things{kind=b}") == 3


def test_two_services_in_one_process_count_apart(metrics: Metrics) -> None:
    other = Metrics("1.2.3")
    metrics.ended(report())
    assert "soulbox_executions_total{language=lua,status=ok}" not in dict(samples(other))


def test_it_may_be_asked_for_in_a_thread_while_runs_end(metrics: Metrics) -> None:
    stop = threading.Event()
    texts = []

    def scrape() -> None:
        while not stop.is_set():
            texts.append(metrics.text())

    thread = threading.Thread(target=scrape)
    thread.start()
    for number in range(2000):
        metrics.answered("http", f"route-{number % 50}", "200", 0.1, None)
    stop.set()
    thread.join()
    assert texts
    count = sum(n for name, n in samples(metrics) if "request_duration_seconds_count" in name)
    assert count == 2000


def test_names_and_units_are_as_prometheus_wants_them(metrics: Metrics) -> None:
    metrics.ended(report())
    metrics.torn_down("lua", 0.1)
    metrics.answered("http", "run", "429", 0.1, Refusal(code="rate_limited", bucket="caller"))
    # promtool finds fault with names of Python's own collectors, which dashboards know.
    text = "\n".join(
        line
        for line in metrics.text().decode().splitlines()
        if re.match(r"(# (HELP|TYPE) )?soulbox_", line)
    )
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=f"{text}\n", text=True, capture_output=True
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
