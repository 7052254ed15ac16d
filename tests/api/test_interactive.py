import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette

from soulbox_core.api import interactive
from soulbox_core.api.application import build
from soulbox_core.api.stdin import WAITING_BYTES
from soulbox_core.api.websocket import assembled_bytes, backlog_bytes
from soulbox_core.model import Limits
from soulbox_core.settings import Server, Settings
from tests.api.conftest import holding
from tests.api.driver import Headers, Socket
from tests.api.fakes import RUN_ID, FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop, settle

RUN = "/v1/run/lua"
MESSAGE_BYTES = Server().message_bytes
ASSEMBLED_BYTES = assembled_bytes(MESSAGE_BYTES)
BACKLOG_BYTES = backlog_bytes(MESSAGE_BYTES)


async def refusal(socket: Socket) -> tuple[str, int]:
    """The code of the error event that is next, and the code of the close after it."""
    event = await socket.event()
    assert event["event"] == "error"
    message = await socket.take()
    assert message["type"] == "websocket.close"
    assert message["reason"] == event["code"]
    return event["code"], message["code"]


@on_loop
async def test_what_the_client_sends_reaches_the_program_as_it_comes(app: Starlette) -> None:
    async with Socket(app, RUN) as socket:
        assert (await socket.take())["type"] == "websocket.accept"
        socket.send({"code": "echo\nexit 3", "stdin": "first "})
        assert await socket.event() == {"event": "started", "id": RUN_ID, "language": "lua"}
        assert await socket.event() == {"event": "stdout", "data": "first "}
        for message, data in (
            ({"stdin": "Grüße"}, "Grüße"),
            (b"bytes", "bytes"),
            ({"stdin": {"base64": "YQ=="}}, "a"),
        ):
            socket.send(message)
            assert await socket.event() == {"event": "stdout", "data": data}
        socket.send({"stdin": "last", "eof": True})
        assert await socket.event() == {"event": "stdout", "data": "last"}
        result = await socket.event()
        assert (result["event"], result["exit_code"]) == ("result", 3)
        assert "stdout" not in result
        assert (await socket.take())["code"] == 1000
        await socket.over()


@on_loop
async def test_a_program_that_reads_nothing_ends_by_itself(app: Starlette) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "out hi"})
        assert [(await socket.event())["event"] for _ in range(3)] == [
            "started",
            "stdout",
            "result",
        ]
        assert (await socket.take())["code"] == 1000
        await socket.over()


@pytest.mark.parametrize(
    ("path", "first", "code", "close"),
    [
        (RUN, "not json", "invalid_request", 1008),
        (RUN, b'{"code": "out"}', "invalid_request", 1008),
        (RUN, {"code": 1}, "invalid_request", 1008),
        (RUN, '{"code": ""}'.ljust(MESSAGE_BYTES + 1), "too_large", 1008),
        (RUN, {"code": "x", "limits": {"memory_bytes": 1 << 40}}, "limit_above_ceiling", 1008),
        ("/v1/run/cobol", {"code": "x"}, "unknown_language", 1008),
        (RUN, {"code": "refuse overloaded"}, "overloaded", 1013),
        (RUN, {"code": "no-start"}, "internal_error", 1011),
    ],
)
@on_loop
async def test_a_request_that_is_refused_is_told_and_closed(
    app: Starlette, path: str, first: Any, code: str, close: int
) -> None:
    async with Socket(app, path) as socket:
        await socket.take()
        socket.send(first)
        assert await refusal(socket) == (code, close)
        await socket.over()


@pytest.mark.parametrize(
    ("program", "code", "close"), [("lose", "cell_lost", 1013), ("bug", "internal_error", 1011)]
)
@on_loop
async def test_a_failure_after_the_start_is_told_and_closed(
    app: Starlette, program: str, code: str, close: int
) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": program})
        assert (await socket.event())["event"] == "started"
        assert await refusal(socket) == (code, close)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{}", "invalid_request"),
        ("nonsense", "invalid_request"),
        ({"stdin": 1}, "invalid_request"),
        ({"code": "out hi"}, "invalid_request"),
        (b"x" * (MESSAGE_BYTES + 1), "too_large"),
    ],
)
@on_loop
async def test_a_wrong_message_kills_the_cell(
    app: Starlette, runs: FakeRuns, message: Any, code: str
) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "hang"})
        assert (await socket.event())["event"] == "started"
        socket.send(message)
        assert await refusal(socket) == (code, 1008)
        assert (runs.live, runs.killed) == (0, 1)


@on_loop
async def test_stdin_cannot_go_on_after_its_end(app: Starlette) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "hang"})
        assert (await socket.event())["event"] == "started"
        socket.send({"eof": True})
        socket.send({"eof": True})
        socket.send(b"more")
        assert await refusal(socket) == ("invalid_request", 1008)


@on_loop
async def test_no_request_at_all_is_given_up(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactive, "REQUEST_SECONDS", 0.01)
    async with Socket(app, RUN) as socket:
        await socket.take()
        assert await refusal(socket) == ("request_timeout", 1008)


@on_loop
async def test_a_client_that_hangs_up_gets_its_cell_killed_at_once(
    app: Starlette, runs: FakeRuns
) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "hang"})
        await settle()
        assert runs.live == 1
        socket.hang_up()
        await socket.over()
        assert (runs.live, runs.killed) == (0, 1)


@on_loop
async def test_a_client_that_hangs_up_before_its_request_runs_nothing(
    app: Starlette, runs: FakeRuns
) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.hang_up()
        await socket.over()
        assert runs.requests == []


@on_loop
async def test_a_program_that_does_not_read_makes_the_client_wait(app: Starlette) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "hang"})
        for _ in range(5):
            socket.send(b"x" * (WAITING_BYTES // 4))
        socket.send(b"x")
        await settle()
        assert not socket.taken()
        socket.hang_up()


@on_loop
async def test_input_that_waits_is_bounded_in_bytes_and_not_in_pieces(app: Starlette) -> None:
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "hang"})
        for _ in range(1000):
            socket.send(b"x")
        await settle()
        assert socket.taken()


def room_for_a_session(more: int) -> int:
    """Bytes to hold for a run that hangs and has the default limits, and for more."""
    return ASSEMBLED_BYTES + len('{"code": "hang"}') + Limits().output_bytes + more


@on_loop
async def test_a_socket_is_counted_before_it_sends_anything(runs: FakeRuns) -> None:
    app = holding(runs, 2 * ASSEMBLED_BYTES)
    async with Socket(app, RUN) as one, Socket(app, RUN) as two:
        assert (await one.take())["type"] == (await two.take())["type"] == "websocket.accept"
        async with Socket(app, RUN) as three:
            assert (await three.take())["status"] == 503
            assert json.loads((await three.take())["body"])["code"] == "overloaded"
        one.hang_up()
        await one.over()
        async with Socket(app, RUN) as four:
            assert (await four.take())["type"] == "websocket.accept"


@pytest.mark.parametrize(("more", "refused"), [(WAITING_BYTES - 1, True), (WAITING_BYTES, False)])
@on_loop
async def test_input_that_waits_for_the_program_is_counted(
    runs: FakeRuns, more: int, refused: bool
) -> None:
    async with Socket(holding(runs, room_for_a_session(more)), RUN) as socket:
        await socket.take()
        socket.send({"code": "hang"})
        assert (await socket.event())["event"] == "started"
        socket.send(b"x" * WAITING_BYTES)
        await settle()
        assert socket.silent() is not refused
        if refused:
            assert await refusal(socket) == ("overloaded", 1013)


@pytest.mark.parametrize(
    ("more", "refused"), [(WAITING_BYTES, True), (WAITING_BYTES + BACKLOG_BYTES, False)]
)
@on_loop
async def test_what_the_server_reads_ahead_of_a_client_that_waits_is_counted(
    runs: FakeRuns, more: int, refused: bool
) -> None:
    async with Socket(holding(runs, room_for_a_session(more)), RUN) as socket:
        await socket.take()
        socket.send({"code": "hang"})
        assert (await socket.event())["event"] == "started"
        socket.send(b"x" * WAITING_BYTES)
        socket.send(b"x")
        await settle()
        assert socket.silent() is not refused
        if refused:
            assert await refusal(socket) == ("overloaded", 1013)


@on_loop
async def test_input_that_was_read_is_held_no_more(runs: FakeRuns) -> None:
    room = room_for_a_session(WAITING_BYTES)
    async with Socket(holding(runs, room), RUN) as socket:
        await socket.take()
        socket.send({"code": "echo"})
        assert (await socket.event())["event"] == "started"
        for _ in range(5):
            socket.send(b"x" * WAITING_BYTES)
            told = 0
            while told < WAITING_BYTES:
                told += len((await socket.event())["data"])


@on_loop
async def test_a_result_that_finds_no_room_is_told_as_that(runs: FakeRuns) -> None:
    app = holding(runs, ASSEMBLED_BYTES + Limits().output_bytes + 200)
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "text a.txt"})
        assert (await socket.event())["event"] == "started"
        assert await refusal(socket) == ("overloaded", 1013)


@on_loop
async def test_a_client_that_takes_nothing_is_closed(runs: FakeRuns) -> None:
    settings = Settings(server=Server(answer_seconds=0.05))
    async with Socket(build(runs, FakeCatalog(), FakeGate(), settings), RUN, room=2) as socket:
        socket.send({"code": "out one\nout two\nhang"})
        await socket.over()
        assert (runs.live, runs.killed) == (0, 1)


@on_loop
async def test_input_that_nobody_reads_does_not_hold_back_the_result(app: Starlette) -> None:
    """A server may send on only when what the client sent is taken."""
    async with Socket(app, RUN, room=1) as socket:
        await socket.take()
        socket.send({"code": "pause\nout hi"})
        assert (await socket.event())["event"] == "started"
        for _ in range(5):
            socket.send(b"x" * WAITING_BYTES)
        await settle()
        await settle()
        assert socket.taken()
        assert [(await socket.event())["event"] for _ in range(2)] == ["stdout", "result"]
        assert (await socket.take())["code"] == 1000
        await socket.over()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:8000")],
        [(b"host", b"127.0.0.1"), (b"origin", b"https://box"), (b"sec-fetch-site", b"same-origin")],
        [(b"sec-fetch-site", b"none")],
    ],
)
@on_loop
async def test_a_page_of_our_own_or_no_page_may_connect(app: Starlette, headers: Headers) -> None:
    async with Socket(app, RUN, headers=headers) as socket:
        assert (await socket.take())["type"] == "websocket.accept"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"localhost:8000"), (b"origin", b"https://evil.example")],
        [(b"host", b"localhost:8000"), (b"origin", b"http://localhost:9000")],
        [(b"host", b"localhost:8000"), (b"origin", b"null")],
        [(b"host", b"localhost:8000"), (b"origin", b"http://[")],
        [(b"origin", b"http://localhost:8000")],
        [(b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"same-site")],
    ],
)
@on_loop
async def test_a_page_of_another_site_may_not_connect(
    app: Starlette, runs: FakeRuns, headers: Headers
) -> None:
    async with Socket(app, RUN, headers=headers) as socket:
        start, body = await socket.take(), await socket.take()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
        assert json.loads(body["body"])["code"] == "forbidden"
        await socket.over()
    assert runs.requests == []


@on_loop
async def test_a_talk_leaves_no_task_behind(app: Starlette) -> None:
    before = asyncio.all_tasks()
    for program in ("out hi", "bug", "refuse overloaded"):
        async with Socket(app, RUN) as socket:
            socket.send({"code": program})
            await socket.over()
    await settle()
    assert asyncio.all_tasks() == before
