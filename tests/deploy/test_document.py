"""docs/telemetry.md tells of every metric, span, field and alert that there is, and of no other."""

import json
import logging
import re

import pytest
from structlog.testing import capture_logs

from soulbox_core.model import Compilation, Limits, Timings
from soulbox_core.telemetry.run_log import RunLog
from soulbox_core.telemetry.traces import Traces
from tests.deploy.exposed import Exposed, ours
from tests.deploy.test_alerts import ALERTS
from tests.journal.samples import report
from tests.loop import on_loop
from tests.samples import outcome
from tests.telemetry.receiver import attributes, receiving
from tests.test_docs import rows, section

DOCUMENT = "docs/telemetry.md"


def codes(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_metric_is_told_of_with_its_type_and_labels(metrics: dict[str, Exposed]) -> None:
    documented = {
        name: (cells[0], codes(cells[1]))
        for name, cells in rows(section(DOCUMENT, "Metrics")).items()
    }
    assert documented == {
        name: (each.kind, set(each.labels)) for name, each in ours(metrics).items()
    }


def test_every_alert_says_what_to_do_in_the_order_of_the_rules() -> None:
    headings = re.findall(r"^### (\w+)\n\n\S", section(DOCUMENT, "Alerts"), re.MULTILINE)
    assert headings == list(ALERTS)


@on_loop
async def test_every_span_and_attribute_is_told_of() -> None:
    timings = Timings(
        queue_seconds=0.0,
        install_seconds=0.0,
        compile_seconds=0.0,
        claim_seconds=0.0,
        run_seconds=0.0,
    )
    compiled = outcome(signal=9, timings=timings, compilation=Compilation(cached=True, output=b""))
    with receiving() as receiver:
        traces = Traces(receiver.url, 1.0, "node-1", "1.2.3")
        traces.ended(report(outcome=compiled))
        await traces.close()
        spans = {span.name for span in receiver.spans}
        found = attributes(receiver.named("execute_code")[0])
        resource = receiver.resources[0]
    limits = {f"soulbox.limits.{name}" for name in Limits.__struct_fields__}
    told = codes(section(DOCUMENT, "Traces"))
    tables = [line for line in section(DOCUMENT, "Traces").splitlines() if line.startswith("| `")]
    named = set().union(*(codes(line.split(" | ")[0]) for line in tables))
    assert named == spans | (set(found) - limits | {"soulbox.limits.*"})
    assert limits <= set(found)
    assert told >= {"service.name", "service.instance.id", "service.version"}
    assert set(resource) >= {"service.name", "service.instance.id", "service.version"}


def test_every_field_of_a_runs_line_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "soulbox.runs"), capture_logs() as lines:
        RunLog().ended(report())
        RunLog().ended(report(outcome=None, failure="cell_lost"))
    text = section(DOCUMENT, "Log lines")
    tables = [line for line in text.splitlines() if line.startswith("| `")]
    named = set().union(*(codes(line.split(" | ")[0]) for line in tables))
    written = set().union(*lines) - {"event", "log_level"}
    assert named == written | {"request_id", "trace_id"}
    (example,) = re.findall(r"^    (\{.*?\})$", text, re.DOTALL | re.MULTILINE)
    assert set(json.loads(example)) == named - {"failure"} | {
        *("event", "level", "logger", "timestamp")
    }
