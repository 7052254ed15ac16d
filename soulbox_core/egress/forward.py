"""One plain HTTP request, passed on, and its response, passed back.

Each side's messages are read and written anew by h11, so that whatever the other side gets has
one meaning. There is one request on a connection: what comes after it is never read.
"""

import asyncio
from http import HTTPStatus

import h11

from soulbox_core.egress.head import MOST_BYTES, end_to_end
from soulbox_core.egress.refusal import Refusal
from soulbox_core.egress.stream import Stream


class Exchange:
    """A request on its way.

    :param server: has read the head of the request from `near`
    """

    def __init__(self, near: Stream, far: Stream, server: h11.Connection) -> None:
        self._near, self._far = near, far
        self._server = server
        self._client = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_BYTES)
        self._answered = False

    async def run(self, request: h11.Request) -> None:
        """Pass both on, to the end of the response.

        :raises Refusal: there was no answer that could be passed on
        :raises EOFError: one side broke off while it was passed on
        """
        await self._far.write(_bytes(self._client.send(request)))
        body = asyncio.create_task(self._pass_body())
        response = asyncio.create_task(self._pass_response())
        try:
            await asyncio.wait((body, response), return_when=asyncio.FIRST_COMPLETED)
            # A host may answer and close before it has the whole body; who sent it may not.
            if body.done() and isinstance(body.exception(), h11.RemoteProtocolError):
                raise self._refusal(HTTPStatus.BAD_REQUEST, "the body is not what its head says")
            await response
        except h11.RemoteProtocolError:
            raise self._refusal(HTTPStatus.BAD_GATEWAY, "the host does not speak HTTP") from None
        finally:
            for task in (body, response):
                task.cancel()
            await asyncio.gather(body, response, return_exceptions=True)

    def _refusal(self, status: HTTPStatus, why: str) -> Exception:
        """What to raise: once a response has begun, there can be no other."""
        return EOFError(why) if self._answered else Refusal(status, why)

    async def _pass_body(self) -> None:
        while True:
            event = self._server.next_event()
            if event is h11.NEED_DATA:
                self._server.receive_data(await self._near.read())
            elif isinstance(event, h11.Data):
                await self._far.write(_bytes(self._client.send(event)))
            elif isinstance(event, h11.EndOfMessage):
                await self._far.write(_bytes(self._client.send(h11.EndOfMessage())))
                return
            else:
                return

    async def _pass_response(self) -> None:
        while True:
            event = self._client.next_event()
            if event is h11.NEED_DATA:
                self._client.receive_data(await self._far.read())
            elif isinstance(event, h11.InformationalResponse):
                await self._answer(_bare(event))
            elif isinstance(event, h11.Response):
                self._answered = True
                await self._answer(_cleaned(event))
            elif isinstance(event, h11.Data):
                await self._answer(event)
            elif isinstance(event, h11.EndOfMessage):
                await self._answer(h11.EndOfMessage())
                return
            else:
                raise h11.RemoteProtocolError("the host broke off")

    async def _answer(self, event: h11.Event) -> None:
        data = _bytes(self._server.send(event))
        if data:
            await self._near.write(data)


def _bare(response: h11.InformationalResponse) -> h11.InformationalResponse:
    return h11.InformationalResponse(status_code=response.status_code, headers=[])


def _cleaned(response: h11.Response) -> h11.Response:
    """A response for another connection, which ends with it."""
    headers = end_to_end(response)
    if any(name == b"transfer-encoding" for name, _ in response.headers):
        headers = [pair for pair in headers if pair[0].lower() != b"content-length"]
    return h11.Response(
        status_code=response.status_code,
        reason=response.reason,
        headers=[*headers, (b"Via", b"1.1 soulbox"), (b"Connection", b"close")],
    )


def _bytes(data: bytes | None) -> bytes:
    """What h11 has to send, which for the event that ends a connection is None."""
    return data or b""
