"""What is gRPC's own: metadata, deadlines, hanging up, health, reflection, bounds, nonsense."""

from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from soulbox_core.errors import HostError, RateLimited, Unauthenticated
from soulbox_core.model import Standing
from soulbox_core.rpc.call import MARGIN_SECONDS, address_of
from soulbox_core.rpc.server import serving
from soulbox_core.rpc.servicer import SERVICE
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from soulbox_core.settings import Grpc, Server, Settings
from tests.api.fakes import RUN_ID
from tests.api.test_tls import make
from tests.loop import on_loop, until
from tests.rpc.client import House, Stub, typing

EMPTY = Standing(
    share="address",
    limit=1,
    window_seconds=1.0,
    remaining=0,
    reset_seconds=1.0,
    allowed=False,
    retry_after_seconds=1.0,
)
HELLO = pb.ExecuteRequest(language="lua", code=b"out hi")
ECHO = pb.ExecuteRequest(language="lua", code=b"echo")
HANG = pb.ExecuteRequest(language="lua", code=b"hang")


@on_loop
async def test_the_credential_and_the_address_come_from_the_call() -> None:
    house = House()
    async with house.served() as stub:
        await stub.execute(HELLO, metadata=(("authorization", "Bearer abc"),))
    assert house.gate.asked == [("abc", "127.0.0.1", "execute")]


@on_loop
async def test_the_request_has_an_id_and_the_caller_a_standing() -> None:
    house = House()
    house.gate.standings = (
        Standing(share="caller", limit=9, window_seconds=3.0, remaining=8, reset_seconds=0.1),
    )
    async with house.served() as stub:
        call = stub.execute(HELLO, metadata=(("x-request-id", "mine-1"),))
        told = dict(await call.trailing_metadata())
        streaming = stub.stream(HELLO, metadata=(("x-request-id", "mine-1"),))
        assert dict(await streaming.initial_metadata()) == told
        streaming.cancel()
        call = stub.execute(HELLO, metadata=(("x-request-id", "a b"),))
        other = dict(await call.trailing_metadata())
    assert told["x-request-id"] == "mine-1"
    assert told["ratelimit-policy"] == '"caller";q=9;w=3'
    assert told["ratelimit"] == '"caller";r=8;t=1'
    assert other["x-request-id"] != "a b"


@on_loop
async def test_an_idempotency_key_is_the_service_s() -> None:
    house = House()
    async with house.served() as stub:
        key = (("idempotency-key", "abc"),)
        first = await stub.execute(HELLO, metadata=key)
        second = await stub.execute(HELLO, metadata=key)
        assert (first.replayed, second.replayed) == (False, True)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            async for _ in stub.stream(HELLO, metadata=key):
                pass
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert house.runs.keys == ["abc", "abc"]


@on_loop
async def test_a_near_deadline_is_the_wall_limit() -> None:
    house = House()
    async with house.served() as stub:
        await stub.execute(HELLO, timeout=5.0)
        await stub.execute(HELLO, timeout=1000.0)
        await stub.execute(HELLO)
    near, far, none = (request.limits.get("wall_seconds") for request in house.runs.requests)
    assert near is not None
    # The client rounds its deadline up to what the wire can say.
    assert 3.0 < near <= 5.1 - MARGIN_SECONDS
    assert far is none is None


@on_loop
@pytest.mark.parametrize("how", ["execute", "stream", "interact", "deadline", "gone"])
async def test_who_hangs_up_has_the_program_killed(how: str) -> None:
    house = House()
    async with house.served() as stub:
        if how == "execute":
            call = stub.execute(HANG)
        elif how == "deadline":
            call = stub.execute(HANG, timeout=0.3)
        elif how == "interact":
            call = stub.interact(typing(pb.Input(request=HANG)))
        else:
            call = stub.stream(HANG)
        if how in ("stream", "gone", "interact"):
            assert (await call.read()).started.id == RUN_ID
        await until(lambda: house.runs.live == 1)
        if how == "gone":
            await stub.channel.close(None)
        elif how != "deadline":
            call.cancel()
        await until(lambda: house.runs.killed == 1)
    assert house.runs.live == 0


@on_loop
async def test_a_talk() -> None:
    house = House()
    async with house.served() as stub:
        call = stub.interact()
        request = pb.ExecuteRequest(language="lua", code=b"echo", stdin=b"first ")
        await call.write(pb.Input(request=request))
        assert (await call.read()).started.id == RUN_ID
        assert (await call.read()).stdout == b"first "
        for word in (b"one", b"two"):
            await call.write(pb.Input(stdin=word))
            assert (await call.read()).stdout == word
        await call.done_writing()
        assert (await call.read()).result.status == "ok"
        assert not isinstance(await call.read(), pb.Event)


@on_loop
@pytest.mark.parametrize(
    "messages",
    [
        (),
        (pb.Input(stdin=b"x"),),
        (pb.Input(),),
        (pb.Input(request=ECHO), pb.Input(request=HELLO)),
    ],
)
async def test_a_talk_begins_with_one_request(messages: tuple[pb.Input, ...]) -> None:
    house = House()
    async with house.served() as stub:

        async def said() -> Any:
            for message in messages:
                yield message

        with pytest.raises(grpc.aio.AioRpcError) as error:
            async for _ in stub.interact(said()):
                pass
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@on_loop
async def test_a_client_that_takes_nothing_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    house = House(Settings(server=Server(answer_seconds=0.5), grpc=Grpc(port=0)))
    async with house.served() as stub:
        endless = pb.ExecuteRequest(language="lua", code=b"zeros 4000000\n" * 20)
        call = stub.stream(endless)
        await call.read()
        await until(lambda: house.runs.killed == 1)
    assert "Traceback" not in caplog.text, "anybody could fill the log"


@on_loop
async def test_a_message_beyond_the_bound_is_refused() -> None:
    house = House()
    async with house.served() as stub:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.execute(pb.ExecuteRequest(language="lua", code=b"x" * 200_000))
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert house.runs.requests == []


@on_loop
async def test_what_does_not_fit_in_memory_is_refused() -> None:
    settings = Settings(server=Server(request_bytes=20_000, held_bytes=17 << 20), grpc=Grpc(port=0))
    house = House(settings)
    async with house.served() as stub:
        greedy = pb.ExecuteRequest(
            language="lua", code=b"hang", limits=pb.Limits(output_bytes=10 << 20)
        )
        first = stub.execute(greedy)
        await until(lambda: house.runs.live == 1)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.execute(greedy)
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        first.cancel()
        await until(lambda: house.runs.killed == 1)


async def state(stub: Stub, service: str) -> health_pb2.HealthCheckResponse:
    check = stub.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        health_pb2.HealthCheckRequest.SerializeToString,
        health_pb2.HealthCheckResponse.FromString,
    )
    answer: health_pb2.HealthCheckResponse = await check(
        health_pb2.HealthCheckRequest(service=service)
    )
    return answer


@on_loop
async def test_no_message_is_read_of_who_may_not_come_in() -> None:
    house = House()
    house.gate.refusal = Unauthenticated()
    async with house.served() as stub:
        for method in ("Execute", "ExecuteStream"):
            # A client that never sends the message it announced is refused all the same.
            call = stub.channel.stream_stream(
                f"/{SERVICE}/{method}", pb.ExecuteRequest.SerializeToString, pb.Result.FromString
            )(typing())
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


@on_loop
async def test_a_piece_of_stdin_has_a_bound() -> None:
    house = House(Settings(server=Server(message_bytes=1000), grpc=Grpc(port=0)))
    async with house.served() as stub:
        call = stub.interact(typing(pb.Input(request=ECHO), pb.Input(stdin=b"x" * 1001)))
        with pytest.raises(grpc.aio.AioRpcError, match="a piece of stdin may have 1000 bytes"):
            async for _ in call:
                pass


@on_loop
async def test_health() -> None:
    house = House()
    async with house.served() as stub:
        for service in ("", SERVICE, "lua"):
            assert (await state(stub, service)).status == 1
        house.catalog.is_ready = False
        for service in ("", SERVICE, "lua"):
            assert (await state(stub, service)).status == 2
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await state(stub, "cobol")
        assert error.value.code() is grpc.StatusCode.NOT_FOUND


@on_loop
async def test_who_stops_soon_serves_no_language_any_more() -> None:
    house = House()
    async with house.served() as stub:
        house.catalog.is_stopping = True
        for service in ("", SERVICE, "lua"):
            assert (await state(stub, service)).status == 2


@on_loop
async def test_health_is_asked_so_often_from_one_address() -> None:
    house = House()
    house.gate.refusal = RateLimited("too many", standing=EMPTY)
    async with house.served() as stub:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await state(stub, "")
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@on_loop
async def test_a_near_deadline_does_not_hide_a_limit_above_its_ceiling() -> None:
    house = House()
    async with house.served() as stub:
        greedy = pb.ExecuteRequest(
            language="lua", code=b"out hi", limits=pb.Limits(wall_seconds=1e6)
        )
        await stub.execute(greedy, timeout=5.0)
    (request,) = house.runs.requests
    assert request.limits["wall_seconds"] == 1e6, "as over HTTP, for the policy to refuse"


@on_loop
async def test_health_can_be_watched() -> None:
    house = House()
    async with house.served() as stub:
        watch: Any = stub.channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )
        call = watch(health_pb2.HealthCheckRequest())
        assert (await call.read()).status == 1
        house.catalog.is_ready = False
        assert (await call.read()).status == 2
        call.cancel()


@on_loop
async def test_reflection_tells_what_grpcurl_needs() -> None:
    house = House()
    async with house.served() as stub:
        reflect: Any = stub.channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        call = reflect()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = (await call.read()).list_services_response.service
        assert {service.name for service in listed} >= {SERVICE, "grpc.health.v1.Health"}
        await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE))
        (raw,) = (await call.read()).file_descriptor_response.file_descriptor_proto
        (service,) = FileDescriptorProto.FromString(raw).service
        names = [method.name for method in service.method]
        assert names == ["Execute", "ExecuteStream", "Interact", "Languages"]
        call.cancel()


@on_loop
async def test_calls_are_answered_over_tls(tmp_path: Path) -> None:
    certificate, key = make(tmp_path)
    server = Server(tls_certificate=str(certificate), tls_key=str(key))
    house = House(Settings(server=server, grpc=Grpc(port=0)))
    trusted = grpc.ssl_channel_credentials(certificate.read_bytes())
    serving_ = serving(house.settings, house.runs, house.catalog, house.gate, house.hold)
    async with (
        serving_ as port,
        grpc.aio.secure_channel(f"localhost:{port}", trusted) as secure,
        grpc.aio.insecure_channel(f"localhost:{port}") as insecure,
    ):
        assert (await Stub(secure).execute(HELLO)).stdout == b"hi"
        assert await code(Stub(insecure).execute(HELLO)) is grpc.StatusCode.UNAVAILABLE


@on_loop
async def test_a_port_that_is_taken_is_told() -> None:
    house = House()
    server = serving(house.settings, house.runs, house.catalog, house.gate, house.hold)
    async with server as port:
        taken = Settings(grpc=Grpc(port=port))
        with pytest.raises(HostError, match=r"set grpc\.port"):
            async with serving(taken, house.runs, house.catalog, house.gate, house.hold):
                pass


TEXT = st.text(max_size=20)
REQUESTS = st.builds(
    pb.ExecuteRequest,
    language=st.sampled_from(("lua", "lua5", "cobol", "")),
    code=st.none() | st.binary(max_size=50).map(lambda code: b"out " + code),
    files=st.dictionaries(TEXT, st.binary(max_size=20), max_size=5),
    entrypoint=st.none() | TEXT,
    stdin=st.binary(max_size=20),
    args=st.lists(TEXT, max_size=5),
    env=st.dictionaries(TEXT, TEXT, max_size=5),
    outputs=st.lists(TEXT, max_size=5),
    options=st.dictionaries(TEXT, TEXT, max_size=3),
    dependencies=st.lists(TEXT, max_size=3),
    network=st.lists(TEXT, max_size=3),
    mounts=st.lists(TEXT, max_size=3),
    limits=st.none()
    | st.builds(
        pb.Limits,
        memory_bytes=st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
        cpu_seconds=st.none() | st.floats(),
        wall_seconds=st.none() | st.floats(),
        processes=st.none() | st.integers(-5, 5),
    ),
)


async def code(call: Any) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        status: grpc.StatusCode = error.code()
        return status
    return grpc.StatusCode.OK


@given(st.lists(REQUESTS, min_size=20, max_size=20))
@settings(max_examples=20, deadline=None)
def test_no_request_is_our_fault(requests: list[pb.ExecuteRequest]) -> None:
    @on_loop
    async def send() -> None:
        house = House()
        async with house.served() as stub:
            codes = {await code(stub.execute(request)) for request in requests}
        assert codes <= {
            grpc.StatusCode.OK,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.NOT_FOUND,
        }

    send()


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.7:4711", "192.0.2.7"),
        ("ipv6:%5B2001:db8:1:2::3%5D:4711", "2001:0db8:0001:0002"),
        ("ipv6:[::ffff:192.0.2.7]:4711", "192.0.2.7"),
        ("unix:", ""),
        ("unix:/run/x.sock", ""),
        ("", ""),
    ],
)
def test_a_peer_is_an_address(peer: str, address: str) -> None:
    assert address_of(peer) == address
