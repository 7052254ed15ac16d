"""soulbox.v1.SoulBox: read the request, have it run, answer. What holds over HTTP holds here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar

import grpc
import msgspec
from starlette.exceptions import HTTPException

from soulbox_core.api.body import idempotency_key
from soulbox_core.api.hold import Hold, Share
from soulbox_core.api.patience import Patience
from soulbox_core.api.ports import Catalog, Runs
from soulbox_core.api.requests import RequestReader, check_live
from soulbox_core.api.stdin import Stdin
from soulbox_core.api.watch import Beside
from soulbox_core.errors import InvalidRequest, TooLarge
from soulbox_core.model import Finished, RunRequest
from soulbox_core.rpc import translation
from soulbox_core.rpc.call import Border, Call, Context
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from soulbox_core.scopes import EXECUTE
from soulbox_core.settings import Settings

SERVICE = "soulbox.v1.SoulBox"
_REQUEST_SECONDS = 30.0
"""Longest that a call's first message may take."""

T = TypeVar("T")
Requests = AsyncIterator[pb.ExecuteRequest]


class Servicer:
    """Answers the calls of one server."""

    def __init__(
        self, runs: Runs, catalog: Catalog, border: Border, settings: Settings, hold: Hold
    ) -> None:
        self._runs = runs
        self._catalog = catalog
        self._border = border
        self._limits = settings.limits
        self._answer_seconds = settings.server.answer_seconds
        self._piece_bytes = settings.server.message_bytes
        self._hold = hold
        self._reader = RequestReader(settings.server)

    async def execute(self, messages: Requests, context: Context) -> pb.Result:
        """Reads its one message itself, when it is known who sends it. What it holds counts until
        the client has the answer, which is then the server's to send."""
        share = self._hold.share()
        over: Any = lambda _: share.end()  # noqa: E731, its type in the stubs has no public name
        context.add_done_callback(over)
        async with self._border.entered(context, "execute", EXECUTE) as call:
            request = self._request(await _first(messages), call, share)
            outcome = await self._runs.execute(
                request, call.caller, idempotency_key=idempotency_key(call.idempotency_key)
            )
            answer = translation.result(outcome)
            share.become(answer.ByteSize())
            return answer
        raise AssertionError("a call that fails is aborted")

    async def execute_stream(self, messages: Requests, context: Context) -> None:
        async with self._border.entered(context, "execute_stream", EXECUTE, early=True) as call:
            with self._hold.share() as share:
                request = self._request(await _first(messages), call, share)
                await self._stream(request, call, share, None)

    async def interact(self, messages: AsyncIterator[pb.Input], context: Context) -> None:
        async with self._border.entered(context, "interact", EXECUTE, early=True) as call:
            with self._hold.share() as share:
                request = self._request(_run_of(await _first(messages)), call, share)
                share.take(self._piece_bytes)  # one may be on its way
                stdin = Stdin(request.stdin, share, self._piece_bytes)
                with Beside(_feed, messages, stdin, self._piece_bytes):
                    await self._stream(request, call, share, stdin)

    async def languages(self, message: pb.LanguagesRequest, context: Context) -> pb.LanguagesResult:
        async with self._border.entered(context, "languages", EXECUTE):
            known = map(translation.language, self._catalog.entries())
            return pb.LanguagesResult(languages=known)
        raise AssertionError("a call that fails is aborted")

    def _request(self, message: pb.ExecuteRequest, call: Call, share: Share) -> RunRequest:
        """Check a request.

        :raises RequestError: it is refused
        """
        share.take(message.ByteSize())
        language = self._catalog.language(message.language)
        asked = translation.asked(message, self._reader, language)
        share.take(asked.output_bytes(self._limits))
        request = asked.request
        wall = request.limits.get("wall_seconds", self._limits.default.wall_seconds)
        nearer = call.wall_seconds(wall)
        if wall > self._limits.ceiling.wall_seconds:
            return request  # which is refused
        # One that may be asked for again goes on without us, and must be the same then.
        if nearer == wall or call.idempotency_key is not None:
            return request
        return msgspec.structs.replace(request, limits={**request.limits, "wall_seconds": nearer})

    async def _stream(
        self, request: RunRequest, call: Call, share: Share, stdin: Stdin | None
    ) -> None:
        """Tell a run as it happens; a client that takes nothing is given up."""
        if call.idempotency_key is not None:
            raise InvalidRequest(
                "a stream cannot be told twice; leave idempotency-key out, or use Execute",
                field="idempotency-key",
            )
        check_live(request)
        patience = Patience(self._answer_seconds)
        try:
            source = None if stdin is None else aiter(stdin)
            async with aclosing(self._runs.stream(request, call.caller, source)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        if stdin is not None:
                            stdin.drop()
                        break
                    for told in translation.events(event):
                        with patience:
                            await call.context.write(told)
            # The last event is sent when the run is closed and its outcome gone.
            (last,) = translation.events(event)
            share.take(last.ByteSize())
            with patience:
                await call.context.write(last)
        finally:
            patience.close()


async def _first(messages: AsyncIterator[T]) -> T:
    """A call's first message.

    :raises InvalidRequest: there is none
    """
    try:
        async with asyncio.timeout(_REQUEST_SECONDS):
            return await anext(messages)
    except TimeoutError:
        raise HTTPException(408, f"no request came within {_REQUEST_SECONDS:g} s") from None
    except StopAsyncIteration:
        raise InvalidRequest("the first message must be the request") from None


def _run_of(message: pb.Input) -> pb.ExecuteRequest:
    if message.WhichOneof("input") != "request":
        raise InvalidRequest("the first message must be the request")
    return message.request


async def _feed(messages: AsyncIterator[pb.Input], stdin: Stdin, most: int) -> None:
    """Pass on what the client sends; that it has no more to send ends stdin as `eof` does."""
    async for message in messages:
        kind = message.WhichOneof("input")
        if kind == "request":
            raise InvalidRequest("the request was there already")
        if kind == "stdin":
            if len(message.stdin) > most:
                raise TooLarge(f"a piece of stdin may have {most} bytes", field="stdin")
            await stdin.feed(message.stdin)
        elif kind == "eof" and message.eof:
            stdin.end()
    stdin.end()
    await asyncio.Event().wait()  # the run goes on


def handlers(servicer: Servicer) -> "dict[str, grpc.RpcMethodHandler[Any, Any]]":
    """The service's methods by their names."""
    run = pb.ExecuteRequest.FromString
    event = pb.Event.SerializeToString
    return {
        # On the wire a stream of one message is no other thing than one message.
        "Execute": grpc.stream_unary_rpc_method_handler(
            servicer.execute, run, pb.Result.SerializeToString
        ),
        "ExecuteStream": grpc.stream_stream_rpc_method_handler(servicer.execute_stream, run, event),
        "Interact": grpc.stream_stream_rpc_method_handler(
            servicer.interact, pb.Input.FromString, event
        ),
        "Languages": grpc.unary_unary_rpc_method_handler(
            servicer.languages,
            pb.LanguagesRequest.FromString,
            pb.LanguagesResult.SerializeToString,
        ),
    }
