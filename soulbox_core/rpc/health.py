"""grpc.health.v1.Health: whether a run would start at once, in all and by language."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from soulbox_core.api.ports import Catalog, Gate
from soulbox_core.errors import RateLimited
from soulbox_core.rpc.call import Context, address_of
from soulbox_core.rpc.servicer import SERVICE

NAME = "grpc.health.v1.Health"
_LOOK_SECONDS = 1.0
_WATCHERS = 100
"""Most that are told of changes at one time; anybody may ask for it."""


class Health:
    """Asks the catalog. The service's own name, or none, is all languages together."""

    def __init__(self, catalog: Catalog, gate: Gate) -> None:
        self._catalog = catalog
        self._gate = gate
        self._watching = 0

    async def check(
        self, message: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        await self._pass(context)
        state = self._state(message.service)
        if state == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return health_pb2.HealthCheckResponse(status=state)

    async def watch(
        self, message: health_pb2.HealthCheckRequest, context: Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        await self._pass(context)
        if self._watching >= _WATCHERS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many watch already")
        self._watching += 1
        try:
            told = None
            while True:
                state = self._state(message.service)
                if state != told:
                    told = state
                    yield health_pb2.HealthCheckResponse(status=state)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self._watching -= 1

    async def _pass(self, context: Context) -> None:
        """Like the open paths over HTTP: so many from one address."""
        try:
            await self._gate.pass_by(address_of(context.peer()))
        except RateLimited as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, error.detail)

    def _state(self, service: str) -> Any:
        """A `HealthCheckResponse.ServingStatus`, whose type has no name at run time."""
        if service in ("", SERVICE):
            ready: bool | None = self._catalog.ready()
        else:
            goes_on = not self._catalog.stopping
            states = {entry.name: entry.ready and goes_on for entry in self._catalog.entries()}
            ready = states.get(service)
        if ready is None:
            return health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        if ready:
            return health_pb2.HealthCheckResponse.SERVING
        return health_pb2.HealthCheckResponse.NOT_SERVING


def handlers(health: Health) -> "dict[str, grpc.RpcMethodHandler[Any, Any]]":
    """The service's methods by their names."""
    asked = health_pb2.HealthCheckRequest.FromString
    answer = health_pb2.HealthCheckResponse.SerializeToString
    return {
        "Check": grpc.unary_unary_rpc_method_handler(health.check, asked, answer),
        "Watch": grpc.unary_stream_rpc_method_handler(health.watch, asked, answer),
    }
