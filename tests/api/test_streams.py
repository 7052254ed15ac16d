import asyncio
import json
from base64 import b64decode
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from soulbox_core.api import streams
from soulbox_core.api.application import build
from soulbox_core.api.events import EVENT_BYTES, StdoutEvent, Teller
from soulbox_core.api.streams import EVENT_STREAM, JSON, NDJSON, negotiate
from soulbox_core.model import Chunk, Limits
from soulbox_core.settings import Server, Settings
from tests.api.conftest import Client, holding
from tests.api.driver import Request
from tests.api.fakes import RUN_ID, FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop, settle

RUN = "/v1/run/lua"
ACCEPT_SSE = {"accept": EVENT_STREAM}
ACCEPT_NDJSON = {"accept": NDJSON}


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (b"", JSON),
        (b"*/*", JSON),
        (b"application/json", JSON),
        (b"text/html", JSON),
        (b"text/*", JSON),
        (b"text/event-stream", EVENT_STREAM),
        (b"Text/Event-Stream; charset=utf-8", EVENT_STREAM),
        (b"application/x-ndjson", NDJSON),
        (b"application/x-ndjson, */*", NDJSON),
        (b"application/json, text/event-stream", JSON),
        (b"application/json;q=0.5, text/event-stream", EVENT_STREAM),
        (b"text/event-stream;q=0.1, application/x-ndjson; q=0.2", NDJSON),
        (b"text/event-stream;q=0", JSON),
        (b"text/event-stream;q=x, application/x-ndjson;q=0.1", NDJSON),
        (b"text/event-stream;q=nan", JSON),
        (b"text/event-stream-like", JSON),
        (b",;=,text/event-stream", EVENT_STREAM),
    ],
)
def test_a_stream_is_for_who_names_it(accept: bytes, chosen: str) -> None:
    assert negotiate(accept) == chosen


@given(st.binary())
def test_any_accept_header_gets_one_of_ours(accept: bytes) -> None:
    assert negotiate(b"ndjson," + accept) in (JSON, EVENT_STREAM, NDJSON)


def parse_sse(text: str) -> list[dict[str, Any]]:
    """Events, by the rules of the HTML standard that matter here."""
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        if "" not in lines:
            found.append(json.loads(lines["data"]))
            assert found[-1]["event"] == lines["event"]
    return found


def parse_ndjson(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("kind", "parse"), [(EVENT_STREAM, parse_sse), (NDJSON, parse_ndjson)])
@on_loop
async def test_a_streamed_run_tells_its_events(client: Client, kind: str, parse: Any) -> None:
    answer = await client.run(
        "out one\nerr two\nout 3\x85\u2028\u2029\nexit 3".encode(), headers={"accept": kind}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-accel-buffering"] == "no"
    plain = (await client.run(b"exit 3")).json()
    del plain["stdout"], plain["stderr"]
    assert parse(answer.text) == [
        {"event": "started", "id": RUN_ID, "language": "lua"},
        {"event": "stdout", "data": "one"},
        {"event": "stderr", "data": "two"},
        {"event": "stdout", "data": "3\x85\u2028\u2029"},
        {"event": "result"} | plain,
    ]


@on_loop
async def test_a_character_in_two_pieces_arrives_whole(client: Client) -> None:
    answer = await client.run(b"hex 61e2\nhex 82\nerr !\nhex ac", headers=ACCEPT_NDJSON)
    data = [(e["event"], e["data"]) for e in parse_ndjson(answer.text) if "data" in e]
    assert data == [("stdout", "a"), ("stderr", "!"), ("stdout", "€")]


@on_loop
async def test_half_a_character_at_the_end_is_told_before_the_result(client: Client) -> None:
    answer = await client.run(b"hex e282", headers=ACCEPT_NDJSON)
    events = parse_ndjson(answer.text)
    assert events[-2] == {"event": "stdout", "data": "\N{REPLACEMENT CHARACTER}"}
    assert events[-1]["event"] == "result"


@on_loop
async def test_base64_is_streamed_piece_by_piece(client: Client) -> None:
    query = {"encoding": "base64"}
    answer = await client.run(b"hex e2\nhex 82ac", headers=ACCEPT_NDJSON, params=query)
    events = parse_ndjson(answer.text)
    assert [event["data"] for event in events if "data" in event] == ["4g==", "gqw="]
    assert events[-1]["encoding"] == "base64"


@given(st.binary(), st.lists(st.integers(0, 40)))
def test_text_is_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    teller = Teller("utf-8")
    told: list[msgspec.Struct] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), None], strict=True):
        told += teller.tell(Chunk(stream="stdout", data=data[start:end]))
    told += teller._output("stdout", b"", final=True)
    text = "".join(event.data for event in told if isinstance(event, StdoutEvent))
    assert text == data.decode("utf-8", "replace")


@pytest.mark.parametrize(("program", "status"), [(b"refuse overloaded", 503), (b"no-start", 500)])
@on_loop
async def test_a_run_that_does_not_start_is_an_http_error(
    client: Client, program: bytes, status: int
) -> None:
    answer = await client.run(program, headers=ACCEPT_SSE)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("program", "code"), [(b"out a\nlose", "cell_lost"), (b"out a\nbug", "internal_error")]
)
@on_loop
async def test_a_failure_after_the_start_is_the_last_event_and_logged(
    client: Client, caplog: pytest.LogCaptureFixture, program: bytes, code: str
) -> None:
    answer = await client.run(program, headers=ACCEPT_SSE)
    events = parse_sse(answer.text)
    assert [event["event"] for event in events] == ["started", "stdout", "error"]
    assert events[-1]["code"] == code
    request_id = answer.headers["x-request-id"]
    assert events[-1]["instance"].endswith(request_id)
    assert [request_id in message for message in caplog.messages] == [True]
    assert "secret" not in answer.text


@on_loop
async def test_each_piece_is_sent_as_it_comes(app: Starlette) -> None:
    headers = [(b"accept", NDJSON.encode())]
    async with Request(app, "POST", RUN, headers=headers) as request:
        request.send(b"out one\nhang")
        assert (await request.take())["status"] == 200
        assert b"started" in (await request.take())["body"]
        piece = await request.take()
        assert b"one" in piece["body"]
        assert piece["more_body"]


@on_loop
async def test_a_listener_that_hangs_up_gets_its_cell_killed_at_once(
    app: Starlette, runs: FakeRuns
) -> None:
    headers = [(b"accept", EVENT_STREAM.encode())]
    async with Request(app, "POST", RUN, headers=headers) as request:
        request.send(b"out one\nhang")
        await settle()
        assert runs.live == 1
        request.hang_up()
        await request.over()
        assert (runs.live, runs.killed) == (0, 1)


@on_loop
async def test_a_listener_that_takes_nothing_counts_as_gone(
    runs: FakeRuns,
) -> None:
    app = build(runs, FakeCatalog(), FakeGate(), Settings(server=Server(answer_seconds=0.01)))
    headers = [(b"accept", NDJSON.encode())]
    async with Request(app, "POST", RUN, headers=headers, room=3) as request:
        request.send(b"out one\nout two\nout three\nhang")
        await request.over()
    assert (runs.live, runs.killed) == (0, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
def test_much_output_at_once_is_told_in_pieces(encoding: Literal["utf-8", "base64"]) -> None:
    data = ("€" * EVENT_BYTES).encode()
    told = [*Teller(encoding).tell(Chunk(stream="stdout", data=data))]
    assert len(told) == 3
    texts = [event.data for event in told if isinstance(event, StdoutEvent)]
    whole = [b64decode(text) if encoding == "base64" else text.encode() for text in texts]
    assert b"".join(whole) == data


@on_loop
async def test_a_result_that_finds_no_room_is_told_as_that(runs: FakeRuns) -> None:
    app = holding(runs, Limits().output_bytes + 50, request_bytes=50)
    answer = await Client(app).run(b"text a.txt", headers=ACCEPT_NDJSON)
    assert answer.status_code == 200
    assert [event.get("code") for event in parse_ndjson(answer.text)] == [None, "overloaded"]


@on_loop
async def test_silence_is_broken_by_a_comment_in_an_event_stream(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.01)
    headers = [(b"accept", EVENT_STREAM.encode())]
    async with Request(app, "POST", RUN, headers=headers) as request:
        request.send(b"hang")
        assert [b"started" in (await request.take()).get("body", b"") for _ in range(2)] == [
            False,
            True,
        ]
        assert (await request.take())["body"] == b": keep-alive\n\n"
        assert (await request.take())["body"] == b": keep-alive\n\n"


@on_loop
async def test_a_stream_leaves_no_task_behind(client: Client) -> None:
    before = asyncio.all_tasks()
    for kind in (ACCEPT_SSE, ACCEPT_NDJSON):
        await client.run(b"out a", headers=kind)
        await client.run(b"bug", headers=kind)
    await settle()
    assert asyncio.all_tasks() == before
