"""One call: who makes it, what it is called, how long it may take, and how it fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc
import grpc.aio

from soulbox_core import request_id, trace_context
from soulbox_core.api.addresses import network_of
from soulbox_core.api.guard import credential_of
from soulbox_core.api.ports import Gate
from soulbox_core.api.problems import report
from soulbox_core.api.rates import rate_headers
from soulbox_core.api.watch import ClientGone
from soulbox_core.errors import RateLimited
from soulbox_core.model import Caller, Standing
from soulbox_core.report import Traffic
from soulbox_core.rpc.status import DETAILS, described

MARGIN_SECONDS = 0.5
"""What of a deadline is left for the program's last call and for the answer to arrive."""

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]
else:
    Context = grpc.aio.ServicerContext  # generic in its stubs alone


class Call:
    """What a handler knows of its call."""

    def __init__(self, context: Context, caller: Caller, idempotency_key: bytes | None) -> None:
        self.context = context
        self.caller = caller
        self.idempotency_key = idempotency_key

    def wall_seconds(self, asked: float) -> float:
        """The wall time of a run: what it may have, or less if the deadline comes before that."""
        left = self.context.time_remaining()
        return asked if left is None else min(asked, max(left - MARGIN_SECONDS, MARGIN_SECONDS))


class Border:
    """Where calls come in, and where what is raised ends.

    :param traffic: None if nobody wants to know of calls
    """

    def __init__(self, gate: Gate, traffic: Traffic | None = None) -> None:
        self._gate = gate
        self._traffic = traffic

    @asynccontextmanager
    async def entered(
        self, context: Context, method: str, scope: str, *, early: bool = False
    ) -> AsyncIterator[Call]:
        """Let a call in; what is raised in the context ends it with a status.

        :param method: its name
        :param early: tell the request's id and the caller's standing before the answer. With it
            they cost nothing, while a message of their own costs a lone call a quarter of a
            millisecond
        """
        began_at = perf_counter()
        metadata = [(key, _bytes(value)) for key, value in context.invocation_metadata() or ()]
        named = dict(metadata)
        id = request_id.chosen(named.get("x-request-id"))
        request_id.begin(id)
        headers = [(key.encode("latin-1"), value) for key, value in metadata]
        trace_context.begin(*trace_context.headers_of(headers))
        told: tuple[tuple[str, str], ...] = (("x-request-id", id),)
        status, refusal = grpc.StatusCode.OK, None
        try:
            address = address_of(context.peer())
            try:
                entry = await self._gate.enter(credential_of(headers), address, scope)
            except RateLimited as error:
                told += _worded((error.standing,))
                raise
            told += _worded(entry.standings)
            if early:
                await context.send_initial_metadata(told)
            else:
                context.set_trailing_metadata(told)
            yield Call(context, entry.caller, named.get("idempotency-key"))
        except ClientGone:
            # No status gets past the message that is not taken; a handler that is cancelled has
            # its call dropped.
            status = grpc.StatusCode.CANCELLED
            raise asyncio.CancelledError from None
        except asyncio.CancelledError:
            status = grpc.StatusCode.CANCELLED
            raise
        except Exception as error:
            # A border: whatever it is, the client gets a status and no more.
            if isinstance(error, grpc.aio.AbortError):
                raise
            refusal = report(error, id)
            status, message, details = described(error, id)
            await context.abort(status, message, trailing_metadata=(*told, (DETAILS, details)))
        finally:
            if self._traffic is not None:
                seconds = perf_counter() - began_at
                self._traffic.answered("grpc", method, status.name, seconds, refusal)


def _worded(standings: tuple[Standing, ...]) -> tuple[tuple[str, str], ...]:
    rates = rate_headers(standings) if standings else []
    return tuple((name.decode(), value.decode()) for name, value in rates)


def address_of(peer: str) -> str:
    """The client's address, as over HTTP, of `ipv4:192.0.2.7:4711` or `ipv6:%5B::1%5D:4711`."""
    _, _, place = unquote(peer).partition(":")
    address = place.rpartition(":")[0].strip("[]")
    try:
        return network_of(address)
    except ValueError:
        return ""


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")
