"""What a run uses, told over gRPC."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from tests.loop import on_loop
from tests.rpc.client import House

CODE = b"out a\nuse 4096\nout b"
ASKS = pb.ExecuteRequest(language="lua", code=CODE, usage_events=True)
USED = pb.Sample(wall_seconds=0.1, cpu_seconds=0.05, memory_bytes=4096, processes=2)
KINDS = ["started", "stdout", "usage", "stdout", "result"]


async def once(request: pb.ExecuteRequest) -> AsyncIterator[pb.Input]:
    yield pb.Input(request=request)


@on_loop
async def test_a_stream_and_a_talk_tell_it() -> None:
    async with House().served() as stub:
        for call in (stub.stream(ASKS), stub.interact(once(ASKS))):
            events = [event async for event in call]
            assert [event.WhichOneof("event") for event in events] == KINDS
            assert events[2].usage == USED


@on_loop
async def test_unasked_it_is_not_told() -> None:
    async with House().served() as stub:
        call = stub.stream(pb.ExecuteRequest(language="lua", code=CODE))
        kinds = [event.WhichOneof("event") async for event in call]
    assert "usage" not in kinds


@on_loop
async def test_an_answer_that_is_no_stream_is_refused() -> None:
    house = House()
    async with house.served() as stub:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.execute(ASKS)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert house.runs.requests == []
