"""What a service tells of itself while it runs real programs, and what it does not tell."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from soulbox_core.rpc.servicer import SERVICE
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from tests.deploy.exposed import exposed, ours, parsed
from tests.integration.patience import patient
from tests.integration.service import Service
from tests.telemetry.receiver import Receiver, attributes, receiving

GRPC_IS_AT = "gRPC is at "
ANNOUNCED = ("✓ ", "SoulBox is ready at ", "  curl ", GRPC_IS_AT)
"""How the lines begin that are for people, on stdout. All else is the log."""

CANARY = "canary-of-code-and-output"
"""In all that a run is given and all that it says."""
HELLO = f"import sys\nprint('{CANARY}', sys.stdin.read())"
FAILS = f"import sys\nprint('{CANARY}', file=sys.stderr)\nsys.exit(3)"

SPAN = "00f067aa0ba902b7"
TRACES = {
    name: f"{number:032x}"
    for number, name in enumerate(("http", "http2", "stream", "talk", "grpc", "unsampled"), 0xABC0)
}
"""The traces that the client of each run says it is part of, by the run's request id."""

RUNS = {"ok": 6, "failed": 1}
"""How many runs end how."""


@dataclass(frozen=True)
class Told:
    """All that the service told, from its start to its end."""

    metrics: str
    again: str
    """The metrics once more, after nothing but reading them."""
    codes: dict[str, int]
    """How requests for metrics were answered, by who asked."""
    log: list[str]
    announced: list[str]
    """What else it printed, for people, where a journal or a container's log keeps it."""
    keys: list[str]
    receiver: Receiver

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log."""
        return [json.loads(line) for line in self.log]

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        """The lines about runs, by their request's id."""
        return {line["request_id"]: line for line in self.lines if line["logger"] == "soulbox.runs"}


def traceparent(name: str) -> str:
    """What a client sends with a request of that name."""
    return f"00-{TRACES[name]}-{SPAN}-{'00' if name == 'unsampled' else '01'}"


def headers(name: str) -> dict[str, str]:
    """How a request says what it is called and what it is part of."""
    named = {"x-request-id": name}
    return named | {"traceparent": traceparent(name)} if name in TRACES else named


def run_all(service: Service) -> None:
    """Each kind of run once, and the ones that fail."""
    body: dict[str, Any] = {
        "code": HELLO,
        "stdin": CANARY,
        "args": [CANARY],
        "env": {"CANARY": CANARY},
    }
    path = "/v1/run/python"
    for name in ("http", "unsampled"):
        answer = service.client.post(path, json=body, headers=headers(name))
        assert answer.json()["stdout"].count(CANARY) == 2, answer.text
    credential = {"authorization": f"Bearer {service.key}"}
    with httpx.Client(base_url=service.url, http1=False, http2=True) as client:
        answer = client.post(path, json=body, headers=headers("http2") | credential)
        assert (answer.http_version, answer.json()["status"]) == ("HTTP/2", "ok")
    accept = {"accept": "application/x-ndjson"}
    answer = service.client.post(path, json=body, headers=headers("stream") | accept)
    assert '"status":"ok"' in answer.text
    failing = {"code": FAILS}
    answer = service.client.post(path, json=failing, headers=headers("failing"))
    assert answer.json()["exit_code"] == 3
    talk(service, path)
    call(service)


def talk(service: Service, path: str) -> None:
    """A run over a WebSocket."""
    credential = {"authorization": f"Bearer {service.key}"}
    url = service.url.replace("http://", "ws://") + path
    with connect(url, additional_headers=headers("talk") | credential) as socket:
        socket.send(json.dumps({"code": HELLO}))
        socket.send(json.dumps({"stdin": CANARY}))
        socket.send(json.dumps({"eof": True}))
        assert json.loads([*socket][-1])["status"] == "ok"


def call(service: Service) -> None:
    """A run over gRPC."""
    address = re.search(rf"^{GRPC_IS_AT}(\S+)$", service.said(), re.MULTILINE)
    assert address is not None
    with grpc.insecure_channel(address[1]) as channel:
        execute = channel.unary_unary(
            f"/{SERVICE}/Execute", pb.ExecuteRequest.SerializeToString, pb.Result.FromString
        )
        request = pb.ExecuteRequest(language="python", code=HELLO.encode(), stdin=CANARY.encode())
        metadata = (("authorization", f"Bearer {service.key}"), *headers("grpc").items())
        assert execute(request, metadata=metadata, timeout=patient(30)).status == "ok"


def be_refused(service: Service, hasty: str) -> None:
    """What is refused, in the order in which it is looked at."""
    path = "/v1/run/python"
    too_much = {"code": HELLO, "limits": {"memory_bytes": 1 << 50}}
    assert service.client.post(path, json=too_much).status_code == 422
    credential = {"authorization": f"Bearer {hasty}"}
    assert service.client.get("/v1/languages", headers=credential).status_code == 200
    body = {"code": HELLO}
    assert service.client.post(path, json=body, headers=credential).status_code == 429


def made_key(service: Service, **asked: Any) -> str:
    answer = service.client.post("/v1/keys", json=asked)
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["key"]
    return key


def scraped(service: Service, key: str) -> httpx.Response:
    credential = {"authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=service.url, timeout=patient(30)) as client:
        return client.get("/metrics", headers=credential)


def values(text: str, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The numbers of a metric, by its labels' values."""
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    # What the start prints has a hello of the first language, which in others is of many lines.
    others = [one.name for one in entry_points(group="soulbox") if one.name != "python"]
    with receiving() as receiver:
        service = Service(
            "test-telemetry",
            "grpc.port=0",
            f"plugins.blocked={json.dumps(others)}",
            f"telemetry.otlp={receiver.url}",
            "telemetry.log_format=json",
            "log_level=debug",
            "policies.hasty.rate.requests_per_second=0.001",
            "policies.hasty.rate.burst=1",
            auth=True,
        )
        try:
            metrics_key = made_key(service, scopes=["metrics"])
            hasty_key = made_key(service, scopes=["execute"], policy="hasty")
            execute_key = made_key(service, scopes=["execute"])
            run_all(service)
            be_refused(service, hasty_key)
            codes = {
                "nobody": scraped(service, "").status_code,
                "who runs": scraped(service, execute_key).status_code,
                "who scrapes": scraped(service, metrics_key).status_code,
                "an admin": scraped(service, service.key).status_code,
            }

            def settled() -> bool:
                """What comes after an answer is counted too: teardown, and records."""
                text = scraped(service, metrics_key).text
                torn_down = "soulbox_execution_stage_duration_seconds_count"
                return (
                    values(text, torn_down, "stage").get(("teardown",)) == sum(RUNS.values())
                    and values(text, "soulbox_records_total", "result")[("written",)]
                    == sum(RUNS.values())
                    and values(text, "soulbox_executions_active") == {(): 0}
                )

            service.await_true(settled, "runs are torn down and recorded")
            metrics, again = (scraped(service, metrics_key).text for _ in range(2))
        finally:
            code = service.stop()
        assert code == 0, service.said()
        said = service.said().splitlines()
        yield Told(
            metrics=metrics,
            again=again,
            codes=codes,
            log=[each for each in said if not each.startswith(ANNOUNCED)],
            announced=[each for each in said if each.startswith(ANNOUNCED)],
            keys=[service.key, metrics_key, hasty_key, execute_key],
            receiver=receiver,
        )


def test_metrics_are_for_those_with_the_scope(told: Told) -> None:
    assert told.codes == {"nobody": 401, "who runs": 403, "who scrapes": 200, "an admin": 200}


def test_without_authentication_whoever_reaches_the_service_may_read_them(
    service: Service,
) -> None:
    answer = service.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "soulbox_build_info" in answer.text


def test_every_run_is_counted_once(told: Told) -> None:
    ended = values(told.metrics, "soulbox_executions_total", "language", "status")
    assert ended == {("python", status): count for status, count in RUNS.items()}
    stages = values(told.metrics, "soulbox_execution_stage_duration_seconds_count", "stage")
    assert stages == dict.fromkeys([("queue",), ("claim",), ("run",), ("teardown",)], 7)
    assert values(told.metrics, "soulbox_records_total", "result") == {
        ("written",): 7,
        ("lost",): 0,
    }
    peaks = values(told.metrics, "soulbox_execution_memory_peak_bytes_count", "language")
    assert peaks == {("python",): 7}


def test_every_request_is_counted_by_what_was_answered(told: Told) -> None:
    answered = values(
        told.metrics, "soulbox_request_duration_seconds_count", "protocol", "route", "code"
    )
    of_interest = {
        labels: count
        for labels, count in answered.items()
        if labels[1] not in ("readyz", "metrics")
    }
    assert of_interest == {
        ("http", "run", "200"): 5,
        ("http", "run", "422"): 1,
        ("http", "run", "429"): 1,
        ("websocket", "interactive", "101"): 1,
        ("grpc", "execute", "OK"): 1,
        ("http", "languages", "200"): 1,
        ("http", "create_key", "201"): 3,
    }
    assert values(told.metrics, "soulbox_rejections_total", "reason") == {
        ("limit_above_ceiling",): 1,
        ("rate_limited",): 1,
        ("unauthenticated",): 1,
        ("forbidden",): 1,
    }
    assert values(told.metrics, "soulbox_rate_limit_hits_total", "bucket") == {("caller",): 1}


def test_reading_metrics_changes_nothing_but_what_is_counted_of_reading_them(told: Told) -> None:
    def rest(text: str) -> list[str]:
        own = ("process_", "python_", 'soulbox_request_duration_seconds_bucket{code="200"')
        return [
            line
            for line in text.splitlines()
            if not line.startswith(own) and 'route="metrics"' not in line
        ]

    assert rest(told.metrics) == rest(told.again)


def test_promtool_finds_no_fault_with_the_metrics(told: Told) -> None:
    lines = told.metrics.splitlines()
    text = "\n".join(line for line in lines if re.match(r"(# (HELP|TYPE) )?soulbox_", line))
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=f"{text}\n", text=True, capture_output=True
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_metrics_are_those_that_dashboard_alerts_and_document_know(
    told: Told, tmp_path: Path
) -> None:
    known = ours(exposed(tmp_path))
    found = ours(parsed(told.metrics))
    # There is no Redis here.
    assert set(known) - set(found) == {"soulbox_rate_limit_fallbacks_total"}
    for name, metric in found.items():
        assert (metric.kind, set(metric.labels) - set(known[name].labels)) == (
            known[name].kind,
            set(),
        ), name


def test_spans_arrive_below_those_of_their_clients(told: Told) -> None:
    spans = {
        attributes(span)["soulbox.request.id"]: span for span in told.receiver.named("execute_code")
    }
    assert set(spans) == {*TRACES, "failing"} - {"unsampled"}
    for name, span in spans.items():
        if name in TRACES:
            assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACES[name], SPAN)
        below = {each.name for each in told.receiver.spans if each.parent_span_id == span.span_id}
        assert below == {"queue", "acquire_cell", "execute_in_cell"}
        assert attributes(span)["soulbox.execution.id"] == told.runs[name]["id"]
    assert spans["failing"].parent_span_id == b""
    assert attributes(spans["failing"])["process.exit.code"] == 3
    assert {each["service.name"] for each in told.receiver.resources} == {"soulbox"}


def test_every_line_is_one_object_with_its_time_and_level(told: Told) -> None:
    assert told.lines
    for line in told.lines:
        assert {"timestamp", "level", "logger", "event"} <= set(line)


def test_a_run_is_one_line_with_the_ids_of_its_request_and_trace(told: Told) -> None:
    assert len([line for line in told.lines if line["logger"] == "soulbox.runs"]) == 7
    assert set(told.runs) == {*TRACES, "failing"}
    for name, line in told.runs.items():
        assert line["language"] == "python"
        assert line["status"] == ("failed" if name == "failing" else "ok")
        if name in TRACES:
            assert line["trace_id"] == TRACES[name]
    begun_here = told.runs["failing"]["trace_id"]
    assert begun_here in {span.trace_id.hex() for span in told.receiver.named("execute_code")}


def test_neither_code_nor_output_nor_a_key_is_told(told: Told) -> None:
    spans = (repr(span) for span in told.receiver.spans)
    for text in (*told.log, *told.announced, told.metrics, *spans):
        assert CANARY not in text
        assert not any(key in text or key.split("_", 2)[2] in text for key in told.keys)
