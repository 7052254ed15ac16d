import asyncio
import logging

import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from soulbox_core.api.edge import Edge
from soulbox_core.settings import Server
from tests.api.conftest import Client
from tests.api.driver import Request, Socket
from tests.loop import on_loop, settle


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/run/lua"), ("GET", "/docs"), ("GET", "/nowhere"), ("PUT", "/healthz")],
)
@on_loop
async def test_every_answer_has_an_id_and_is_what_it_says(
    client: Client, method: str, path: str
) -> None:
    first, second = await client(method, path), await client(method, path)
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@on_loop
async def test_a_well_formed_request_id_is_taken_over(client: Client) -> None:
    answer = await client("GET", "/nowhere", headers={"x-request-id": "a.B-c_1"})
    assert answer.headers["x-request-id"] == "a.B-c_1"
    assert answer.json()["instance"] == "urn:soulbox:request:a.B-c_1"


@pytest.mark.parametrize("sent", ["", "a b", "a" * 65, "a\tb", "<script>"])
@on_loop
async def test_an_ill_formed_request_id_is_not(client: Client, sent: str) -> None:
    answer = await client("GET", "/healthz", headers={"x-request-id": sent})
    assert answer.headers["x-request-id"] not in ("", sent)


@on_loop
async def test_a_websocket_has_an_id_too(app: Starlette) -> None:
    async with Socket(app, "/v1/run/lua", headers=[(b"x-request-id", b"abc")]) as socket:
        assert (b"x-request-id", b"abc") in (await socket.take())["headers"]


@on_loop
async def test_an_answer_gets_through_while_the_body_is_still_being_sent() -> None:
    """Hypercorn's last `send` waits for room in a bounded queue of what the client sent."""
    parts: asyncio.Queue[Message] = asyncio.Queue(10)
    for _ in range(10):
        parts.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
    sent = []

    async def send(message: Message) -> None:
        if not message.get("more_body", True):
            await parts.put({"type": "http.disconnect"})
        sent.append(message["type"])

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 404})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    scope: Scope = {"type": "http", "http_version": "1.1", "query_string": b"", "headers": []}
    await asyncio.wait_for(Edge(refuse, Server())(scope, parts.get, send), 5)
    assert sent == ["http.response.start", "http.response.body"]


@on_loop
async def test_an_answer_that_breaks_off_is_left_incomplete_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        raise RuntimeError("secret")

    async with Request(Edge(breaks, Server()), "GET", "/") as request:
        request.send(b"")
        assert (await request.take())["status"] == 200
        await request.over()
        assert request.silent()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@on_loop
async def test_a_websocket_that_breaks_is_closed_as_our_fault() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise RuntimeError("secret")

    async with Socket(Edge(breaks, Server()), "/") as socket:
        await socket.take()
        assert await socket.take() == {"type": "websocket.close", "code": 1011}
        await socket.over()


@on_loop
async def test_a_websocket_to_nowhere_is_refused(app: Starlette) -> None:
    async with Socket(app, "/nowhere") as socket:
        assert (await socket.take())["type"] == "websocket.close"
        await socket.over()


@on_loop
async def test_two_lengths_of_one_body_are_refused(app: Starlette) -> None:
    headers = [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")]
    async with Request(app, "GET", "/healthz", headers=headers) as request:
        start = await request.take()
        assert (start["status"], (b"connection", b"close") in start["headers"]) == (400, True)


@pytest.mark.parametrize("parts", [1, 30])
@on_loop
async def test_what_a_client_sends_is_taken_until_it_is_gone(parts: int) -> None:
    """A server that tells so through the queue that the client filled would wait for ever."""
    queue: asyncio.Queue[Message] = asyncio.Queue(10)

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1008})

    async def send(message: Message) -> None:
        pass

    scope: Scope = {"type": "websocket", "query_string": b"", "headers": []}
    await queue.put({"type": "websocket.connect"})
    await Edge(refuse, Server())(scope, queue.get, send)
    for _ in range(parts):
        await queue.put({"type": "websocket.receive", "bytes": b"x"})
    await asyncio.wait_for(queue.put({"type": "websocket.disconnect"}), 5)
    await settle()
    assert len(asyncio.all_tasks()) == 1
