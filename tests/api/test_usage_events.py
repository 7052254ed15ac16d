"""The option `usage_events`, and what is told for it."""

import json
from typing import Any

import pytest
from starlette.applications import Starlette

from soulbox_core.api.requests import RequestReader
from soulbox_core.api.streams import EVENT_STREAM, NDJSON
from soulbox_core.errors import InvalidRequest
from soulbox_core.settings import Server
from tests.api.conftest import Client
from tests.api.driver import Socket
from tests.api.fakes import LUA, FakeRuns
from tests.api.test_streams import parse_ndjson, parse_sse
from tests.loop import on_loop

READER = RequestReader(Server())
USED = {
    "event": "usage",
    "wall_seconds": 0.1,
    "cpu_seconds": 0.05,
    "memory_bytes": 4096,
    "processes": 2,
}


@pytest.mark.parametrize(("text", "asked"), [("true", True), ("1", True), ("false", False)])
def test_a_query_asks_for_it(text: str, asked: bool) -> None:
    read = READER.source(b"", f"usage_events={text}".encode(), LUA)
    assert read.request.usage_events is asked


def test_a_body_asks_for_it_and_without_being_asked_it_is_off() -> None:
    assert READER.json(b'{"code": "", "usage_events": true}', LUA).request.usage_events is True
    assert READER.json(b'{"code": ""}', LUA).request.usage_events is False
    assert READER.source(b"", b"", LUA).request.usage_events is False


@pytest.mark.parametrize("query", ["usage_events=often", "usage_events=", "usage_events=2"])
def test_a_query_that_says_something_else_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        READER.source(b"", query.encode(), LUA)
    assert error.value.field == "query.usage_events"


@pytest.mark.parametrize("value", [1, "true", None])
def test_a_body_that_says_something_else_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest) as error:
        READER.json(json.dumps({"code": "", "usage_events": value}).encode(), LUA)
    assert error.value.field == "usage_events"


@pytest.mark.parametrize(("kind", "parse"), [(EVENT_STREAM, parse_sse), (NDJSON, parse_ndjson)])
@on_loop
async def test_a_stream_tells_it_between_the_output(client: Client, kind: str, parse: Any) -> None:
    query = {"usage_events": "true"}
    answer = await client.run(b"out a\nuse 4096\nout b", headers={"accept": kind}, params=query)
    (started, *told, result) = parse(answer.text)
    assert (started["event"], result["event"]) == ("started", "result")
    assert told == [
        {"event": "stdout", "data": "a"},
        USED,
        {"event": "stdout", "data": "b"},
    ]


@on_loop
async def test_a_websocket_tells_it(app: Starlette) -> None:
    async with Socket(app, "/v1/run/lua") as socket:
        await socket.take()
        socket.send({"code": "use 4096", "usage_events": True})
        assert (await socket.event())["event"] == "started"
        assert await socket.event() == USED
        assert (await socket.event())["event"] == "result"


@on_loop
async def test_an_answer_that_is_no_stream_is_refused(client: Client, runs: FakeRuns) -> None:
    for answer in (
        await client.run(b"out hi", params={"usage_events": "true"}),
        await client.run({"code": "out hi", "usage_events": True}),
    ):
        assert (answer.status_code, answer.json()["field"]) == (400, "usage_events")
    assert runs.requests == []


@on_loop
async def test_the_document_knows_the_option_and_the_event(client: Client) -> None:
    document = (await client("GET", "/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert schemas["RunBody"]["properties"]["usage_events"]["default"] is False
    assert {"$ref": "#/components/schemas/UsageEvent"} in schemas["Event"]["oneOf"]
    parameters = document["paths"]["/v1/run/{language}"]["post"]["parameters"]
    assert "usage_events" in [parameter.get("name") for parameter in parameters]
