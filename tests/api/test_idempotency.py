"""The header, in and out."""

import pytest
from starlette.applications import Starlette

from tests.api.conftest import Client
from tests.api.driver import Socket
from tests.api.fakes import FakeRuns
from tests.loop import on_loop


@on_loop
@pytest.mark.parametrize("value", ["abc-1", '"abc-1"', "  abc-1 "])
async def test_a_key_reaches_the_service_and_a_replay_is_marked(
    client: Client, runs: FakeRuns, value: str
) -> None:
    first = await client.run(b"out hi", headers={"idempotency-key": value})
    second = await client.run(b"out hi", headers={"idempotency-key": value})
    assert runs.keys == ["abc-1"] * 2
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json() == second.json()


@on_loop
async def test_without_a_key_there_is_none(client: Client, runs: FakeRuns) -> None:
    await client.run(b"out hi")
    assert runs.keys == [None]


@on_loop
@pytest.mark.parametrize("value", ["", '""', "a b", "a" * 256, '"a', 'a"b', "ключ".encode()])
async def test_what_is_no_key_is_refused(
    client: Client, runs: FakeRuns, value: str | bytes
) -> None:
    headers: list[tuple[str, str | bytes]] = [("idempotency-key", value)]
    answer = await client.run(b"out hi", headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "idempotency-key")
    assert runs.requests == []


@on_loop
async def test_two_keys_are_none(client: Client, runs: FakeRuns) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    answer = await client.run(b"out hi", headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "idempotency-key")
    assert runs.requests == []


@on_loop
@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_a_stream_takes_no_key(client: Client, runs: FakeRuns, accept: str) -> None:
    headers = {"idempotency-key": "abc", "accept": accept}
    answer = await client.run(b"out hi", headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "idempotency-key")
    assert runs.requests == []


@on_loop
async def test_a_websocket_takes_no_key(app: Starlette, runs: FakeRuns) -> None:
    headers = [(b"idempotency-key", b"abc")]
    async with Socket(app, "/v1/run/lua", headers=headers) as socket:
        start = await socket.take()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 400)
    assert runs.requests == []
