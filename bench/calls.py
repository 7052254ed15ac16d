"""A hello over gRPC beside the same over HTTP, of one service, in turn."""

import re
from collections.abc import Callable

import grpc

from bench.http import Client, request
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from tests.integration.service import Service

_ADDRESS = re.compile(r"^gRPC is at (\S+)$", re.MULTILINE)


def over_grpc(service: Service, source: str) -> Callable[[], object]:
    """A call that runs a program."""
    said = _ADDRESS.search(service.said())
    assert said is not None, service.said()
    execute = grpc.insecure_channel(said[1]).unary_unary(
        "/soulbox.v1.SoulBox/Execute",
        pb.ExecuteRequest.SerializeToString,
        pb.Result.FromString,
    )
    message = pb.ExecuteRequest(language="python", code=source.encode())

    def call() -> object:
        result: pb.Result = execute(message)
        assert result.status == "ok", result
        return result

    return call


def over_http(service: Service, source: str) -> Callable[[], object]:
    """The same, by a client that costs next to nothing."""
    client, message = Client(service.port), request(service.port, source)
    return lambda: client.run(message)
