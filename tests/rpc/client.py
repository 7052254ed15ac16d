"""A gRPC client and server on fakes, over a real connection on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio

from soulbox_core.api.hold import Hold
from soulbox_core.rpc.server import serving
from soulbox_core.rpc.servicer import SERVICE
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from soulbox_core.settings import Grpc, Server, Settings
from tests.api.fakes import FakeCatalog, FakeGate, FakeRuns

SMALL = Settings(
    server=Server(request_bytes=20_000, held_bytes=64 << 20, source_bytes=5_000, files=4),
    grpc=Grpc(port=0),
)


class Stub:
    """The service's methods, as generated stubs have them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        run = pb.ExecuteRequest.SerializeToString
        event = pb.Event.FromString
        self.channel = channel
        self.execute: Any = channel.unary_unary(f"/{SERVICE}/Execute", run, pb.Result.FromString)
        self.stream: Any = channel.unary_stream(f"/{SERVICE}/ExecuteStream", run, event)
        self.interact: Any = channel.stream_stream(
            f"/{SERVICE}/Interact", pb.Input.SerializeToString, event
        )
        self.languages: Any = channel.unary_unary(
            f"/{SERVICE}/Languages",
            pb.LanguagesRequest.SerializeToString,
            pb.LanguagesResult.FromString,
        )


class House:
    """Fakes behind a real server."""

    def __init__(self, settings: Settings = SMALL) -> None:
        self.settings = settings
        self.runs, self.catalog, self.gate = FakeRuns(), FakeCatalog(), FakeGate()
        self.hold = Hold(settings.server.held_bytes)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Stub]:
        server = serving(self.settings, self.runs, self.catalog, self.gate, self.hold)
        async with (
            server as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            yield Stub(channel)
        assert self.hold.held_bytes == 0


async def typing(*messages: pb.Input) -> AsyncIterator[pb.Input]:
    """A client that sends these, and then nothing for as long as the call lasts."""
    for message in messages:
        yield message
    await asyncio.Event().wait()
