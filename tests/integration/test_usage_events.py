"""What real programs use, told while they go on."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import grpc
import pytest
from websockets.sync.client import connect

from soulbox_core.rpc.servicer import SERVICE
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from tests.integration.patience import patient
from tests.integration.service import Service

MIB = 1 << 20
ADDRESS = re.compile(r"^gRPC is at (\S+)$", re.MULTILINE)
RUN = "/v1/run/python"

GROWS = """
import threading, time
time.sleep(0.5)
kept = bytearray(64 << 20)
time.sleep(0.5)
for _ in range(3):
    threading.Thread(target=time.sleep, args=(0.6,)).start()
while time.process_time() < 0.5:
    pass
"""
"""First uses next to nothing, then 64 MiB, then half a second of CPU time with four threads."""
GROWS_AS_ASKED = """
import sys
kept = []
for line in sys.stdin:
    kept.append(bytearray(int(line) << 20))
"""
"""Takes so many MiB more for each line that it reads."""
SLEEPS = "import time; time.sleep(60)"


@pytest.fixture(scope="module")
def served() -> Iterator[Service]:
    service = Service("test-usage", "grpc.port=0")
    yield service
    assert service.stop() == 0, service.said()
    assert "Traceback" not in service.said()


@pytest.fixture
def channel(served: Service) -> Iterator[grpc.Channel]:
    said = ADDRESS.search(served.said())
    assert said is not None, served.said()
    with grpc.insecure_channel(said[1]) as channel:
        yield channel


def streamed(service: Service, code: str, **options: Any) -> list[dict[str, Any]]:
    """The events of a run, over NDJSON."""
    body = {"code": code, "usage_events": True, **options}
    accept = {"accept": "application/x-ndjson"}
    answer = service.client.post(RUN, json=body, headers=accept)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def usage_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == "usage"]


def check_growth(samples: list[dict[str, Any]], usage: dict[str, Any]) -> None:
    """Hold the samples of `GROWS` against what it does, and against the answer's usage."""
    assert len(samples) >= 3
    assert samples[0]["memory_bytes"] < 48 * MIB
    assert samples[0]["processes"] == 1
    assert samples[0]["cpu_seconds"] < 0.4
    assert max(sample["memory_bytes"] for sample in samples) >= 64 * MIB
    assert max(sample["processes"] for sample in samples) == 4
    assert samples[-1]["cpu_seconds"] > samples[0]["cpu_seconds"] + 0.1
    for name in ("wall_seconds", "cpu_seconds"):
        values = [sample[name] for sample in samples]
        assert values == sorted(values)
        assert values[-1] <= usage[name]


def test_server_sent_events_tell_how_a_program_grows(served: Service) -> None:
    query = {"usage_events": "true"}
    accept = {"accept": "text/event-stream"}
    answer = served.client.post(RUN, content=GROWS, params=query, headers=accept)
    assert answer.status_code == 200, answer.text
    assert "event: usage\n" in answer.text
    lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert (events[0]["event"], events[-1]["event"]) == ("started", "result")
    assert set(usage_of(events)[0]) == {
        *("event", "wall_seconds", "cpu_seconds", "memory_bytes", "processes")
    }
    check_growth(usage_of(events), events[-1]["usage"])


def test_a_websocket_tells_what_the_program_was_just_made_to_use(served: Service) -> None:
    url = served.url.replace("http://", "ws://") + RUN
    with connect(url) as socket:
        socket.send(json.dumps({"code": GROWS_AS_ASKED, "usage_events": True}))
        for asked in (24, 48, 72):
            socket.send(json.dumps({"stdin": "24\n"}))
            while True:
                event = json.loads(socket.recv(timeout=patient(30)))
                assert event["event"] in ("started", "usage"), event
                if event.get("memory_bytes", 0) >= asked * MIB:
                    assert event["memory_bytes"] < (asked + 24) * MIB
                    break
        socket.send(json.dumps({"eof": True}))
        last = [json.loads(text) for text in socket][-1]
    assert (last["event"], last["status"]) == ("result", "ok")


def test_grpc_tells_how_a_program_grows(channel: grpc.Channel, served: Service) -> None:
    stream = channel.unary_stream(
        f"/{SERVICE}/ExecuteStream", pb.ExecuteRequest.SerializeToString, pb.Event.FromString
    )
    request = pb.ExecuteRequest(language="python", code=GROWS.encode(), usage_events=True)
    events = list(stream(request, timeout=patient(30)))
    samples = [event.usage for event in events if event.WhichOneof("event") == "usage"]
    usage = events[-1].result.usage
    check_growth(
        [
            {field.name: getattr(sample, field.name) for field in pb.Sample.DESCRIPTOR.fields}
            for sample in samples
        ],
        {"wall_seconds": usage.wall_seconds, "cpu_seconds": usage.cpu_seconds},
    )


def test_a_talk_over_grpc_is_told_too(channel: grpc.Channel, served: Service) -> None:
    interact = channel.stream_stream(
        f"/{SERVICE}/Interact", pb.Input.SerializeToString, pb.Event.FromString
    )
    request = pb.ExecuteRequest(language="python", code=SLEEPS.encode(), usage_events=True)
    call: Any = interact(iter((pb.Input(request=request),)), timeout=patient(30))
    kinds = [next(call).WhichOneof("event") for _ in range(3)]
    assert kinds == ["started", "usage", "usage"]
    call.cancel()


def test_children_are_counted_and_their_memory_too(served: Service) -> None:
    code = (
        "import os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        kept = bytearray(16 << 20)\n"
        "        time.sleep(0.7)\n"
        "        os._exit(0)\n"
        "for _ in range(3): os.wait()\n"
    )
    samples = usage_of(streamed(served, code))
    assert max(sample["processes"] for sample in samples) == 4
    assert max(sample["memory_bytes"] for sample in samples) >= 48 * MIB


def test_without_the_option_nothing_is_told(served: Service) -> None:
    events = streamed(served, "import time; time.sleep(0.5)", usage_events=False)
    assert [event["event"] for event in events] == ["started", "result"]


def test_a_run_that_is_over_at_once_is_told_of_at_its_end_alone(served: Service) -> None:
    runs = (streamed(served, "print('hi')") for _ in range(100))
    events = next(run for run in runs if run[-1]["usage"]["wall_seconds"] < 0.09)
    assert [event["event"] for event in events] == ["started", "stdout", "result"]


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        (SLEEPS, {"wall_seconds": 0.5}, "wall_time_exceeded"),
        ("while True: pass", {"cpu_seconds": 0.5}, "cpu_time_exceeded"),
        (
            "import time\nx = []\nwhile True:\n  x.append(bytearray(8 << 20))\n  time.sleep(0.05)",
            {"memory_bytes": 128 * MIB},
            "memory_exceeded",
        ),
    ],
)
def test_a_killed_program_is_told_of_up_to_its_end(
    served: Service, code: str, limits: dict[str, float], status: str
) -> None:
    events = streamed(served, code, limits=limits)
    assert (events[-1]["event"], events[-1]["status"]) == ("result", status)
    samples = usage_of(events)
    assert samples
    assert samples[-1]["wall_seconds"] <= events[-1]["usage"]["wall_seconds"]


def watched(service: Service) -> int:
    """How many runs are looked at: each has its leaf's files open once more."""
    descriptors = f"/proc/{service.process.pid}/fd"
    files = []
    for descriptor in os.listdir(descriptors):
        with suppress(FileNotFoundError):  # closed meanwhile
            files.append(os.readlink(f"{descriptors}/{descriptor}"))
    counts = Counter(file for file in files if file.endswith("/pids.current"))
    return sum(counts.values()) - len(counts)


def test_a_client_that_leaves_ends_the_telling(served: Service) -> None:
    body = {"code": SLEEPS, "usage_events": True}
    accept = {"accept": "application/x-ndjson"}
    with served.client.stream("POST", RUN, json=body, headers=accept) as answer:
        lines = answer.iter_lines()
        assert [json.loads(next(lines))["event"] for _ in range(3)] == ["started", "usage", "usage"]
        assert watched(served) == 1
    served.await_true(lambda: watched(served) == 0, "nobody looks any more")


def test_each_is_told_of_its_own_run_however_many_there_are(served: Service) -> None:
    def most(size: int) -> int:
        code = f"import time\nkept = bytearray({size} << 20)\ntime.sleep(0.6)"
        samples = usage_of(streamed(served, code))
        assert {sample["processes"] for sample in samples} == {1}
        return max(int(sample["memory_bytes"]) for sample in samples)

    sizes = [16, 48, 80, 112] * 2
    with ThreadPoolExecutor(len(sizes)) as threads:
        for size, told in zip(sizes, threads.map(most, sizes), strict=True):
            assert size * MIB <= told < (size + 24) * MIB


def test_an_answer_that_is_no_stream_cannot_tell(channel: grpc.Channel, served: Service) -> None:
    for answer in (
        served.post("print(1)", usage_events=True),
        served.client.post(RUN, content="print(1)", params={"usage_events": "true"}),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (400, "invalid_request")
        assert problem["field"] == "usage_events"
        assert "accept a stream" in problem["detail"]
    execute = channel.unary_unary(
        f"/{SERVICE}/Execute", pb.ExecuteRequest.SerializeToString, pb.Result.FromString
    )
    with pytest.raises(grpc.RpcError) as error:
        execute(
            pb.ExecuteRequest(language="python", code=b"1", usage_events=True), timeout=patient(30)
        )
    refusal: Any = error.value
    assert refusal.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "accept a stream" in refusal.details()


def test_only_who_asks_costs_a_thread() -> None:
    service = Service("test-usage-thread", "records.enabled=false")  # whose files a thread reads
    try:

        def threads() -> int:
            return len(os.listdir(f"/proc/{service.process.pid}/task"))

        service.output("print('hi')")
        before = threads()
        for _ in range(20):
            service.output("print('hi')")
        streamed(service, "import time; time.sleep(0.3)", usage_events=False)
        streamed(service, "print('hi')")
        assert threads() == before
        for _ in range(3):
            assert usage_of(streamed(service, "import time; time.sleep(0.3)"))
        assert threads() == before + 1
    finally:
        assert service.stop() == 0, service.said()
