"""gRPC on real cells."""

import re
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from soulbox_core.rpc.servicer import SERVICE
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from tests.integration.patience import patient
from tests.integration.service import Service

ADDRESS = re.compile(r"^gRPC is at (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def served() -> Iterator[Service]:
    service = Service("test-grpc", "grpc.port=0", auth=True)
    yield service
    assert service.stop() == 0, service.said()


@pytest.fixture
def channel(served: Service) -> Iterator[grpc.Channel]:
    said = ADDRESS.search(served.said())
    assert said is not None, served.said()
    with grpc.insecure_channel(said[1]) as channel:
        yield channel


def key(served: Service) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {served.key}"),)


def execute(channel: grpc.Channel, served: Service, code: str, **more: Any) -> pb.Result:
    method = channel.unary_unary(
        f"/{SERVICE}/Execute", pb.ExecuteRequest.SerializeToString, pb.Result.FromString
    )
    timeout = more.pop("timeout", 30.0)
    request = pb.ExecuteRequest(language="python", code=code.encode(), **more)
    result: pb.Result = method(request, metadata=key(served), timeout=timeout)
    return result


def test_hello(channel: grpc.Channel, served: Service) -> None:
    result = execute(channel, served, "print('hi')")
    assert (result.status, result.exit_code, result.stdout) == ("ok", 0, b"hi\n")
    assert result.usage.memory_peak_bytes > 0
    assert not result.HasField("network")


def test_what_goes_in_and_what_comes_out(channel: grpc.Channel, served: Service) -> None:
    result = execute(
        channel,
        served,
        "import os, sys\n"
        "sys.stdout.buffer.write(sys.stdin.buffer.read())\n"
        "print(sys.argv[1:], os.environ['MODE'], file=sys.stderr)\n"
        "open('left.bin', 'wb').write(b'\\xff')\n"
        "sys.exit(3)\n",
        stdin=b"\x00\xfe",
        args=["a", "b"],
        env={"MODE": "fast"},
        outputs=["*.bin"],
    )
    assert (result.status, result.exit_code) == ("failed", 3)
    assert (result.stdout, result.stderr) == (b"\x00\xfe", b"['a', 'b'] fast\n")
    assert [(file.path, file.content) for file in result.files] == [("left.bin", b"\xff")]


def test_a_deadline_ends_the_program_and_its_output_arrives(
    channel: grpc.Channel, served: Service
) -> None:
    code = "import time\nprint('before', flush=True)\ntime.sleep(60)"
    result = execute(channel, served, code, timeout=3.0)
    assert (result.status, result.stdout) == ("wall_time_exceeded", b"before\n")


def test_without_a_key_nothing_runs(channel: grpc.Channel, served: Service) -> None:
    method = channel.unary_unary(
        f"/{SERVICE}/Execute", pb.ExecuteRequest.SerializeToString, pb.Result.FromString
    )
    with pytest.raises(grpc.RpcError) as error:
        method(pb.ExecuteRequest(language="python", code=b"print(1)"), timeout=patient(30))
    refusal: Any = error.value
    assert refusal.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_stream_tells_as_it_happens_and_a_cancelled_one_kills(
    channel: grpc.Channel, served: Service
) -> None:
    method = channel.unary_stream(
        f"/{SERVICE}/ExecuteStream", pb.ExecuteRequest.SerializeToString, pb.Event.FromString
    )
    code = b"import time\nprint('one', flush=True)\ntime.sleep(60)"
    request = pb.ExecuteRequest(language="python", code=code)
    call: Any = method(request, metadata=key(served), timeout=patient(60))
    assert next(call).HasField("started")
    assert next(call).stdout == b"one\n"
    call.cancel()
    served.await_true(lambda: "cancelled" in served.said(), "the program is killed")


def test_a_talk(channel: grpc.Channel, served: Service) -> None:
    method = channel.stream_stream(
        f"/{SERVICE}/Interact", pb.Input.SerializeToString, pb.Event.FromString
    )
    code = b"print('name?', flush=True)\nprint('hello', input())"

    def typed() -> Iterator[pb.Input]:
        yield pb.Input(request=pb.ExecuteRequest(language="python", code=code))
        yield pb.Input(stdin=b"Ada\n")

    events = list(method(typed(), metadata=key(served), timeout=patient(30)))
    output = b"".join(event.stdout for event in events)
    assert output == b"name?\nhello Ada\n"
    assert events[-1].result.status == "ok"


def test_health_and_languages(channel: grpc.Channel, served: Service) -> None:
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    assert check(health_pb2.HealthCheckRequest(service="python"), timeout=patient(30)).status == 1
    languages = channel.unary_unary(
        f"/{SERVICE}/Languages",
        pb.LanguagesRequest.SerializeToString,
        pb.LanguagesResult.FromString,
    )
    told = languages(pb.LanguagesRequest(), metadata=key(served), timeout=patient(30))
    assert "python" in [language.name for language in told.languages]
