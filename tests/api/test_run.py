import asyncio
import gc
import json
from typing import Any

import pytest
from starlette.applications import Starlette

from soulbox_core.api.application import build
from soulbox_core.api.streams import PIECE_BYTES
from soulbox_core.model import Limits, Outcome
from soulbox_core.settings import Server, Settings
from tests.api.conftest import Client, holding
from tests.api.driver import Request
from tests.api.fakes import CEILING, RUN_ID, FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop, settle

RUN = "/v1/run/lua"


@on_loop
async def test_the_answer_tells_all_that_came_of_the_run(client: Client) -> None:
    answer = await client.run(b"out hi\nerr oops\ntext a.txt\nfile b.bin\nexit 3")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "id": RUN_ID,
        "language": "lua",
        "status": "failed",
        "exit_code": 3,
        "signal": None,
        "stdout": "hi",
        "stderr": "oops",
        "encoding": "utf-8",
        "truncated": ["stderr"],
        "usage": {"wall_seconds": 0.5, "cpu_seconds": 0.25, "memory_peak_bytes": 1 << 20},
        "timings": {
            "queue_seconds": 0.0,
            "claim_seconds": 0.001,
            "compile_seconds": None,
            "install_seconds": None,
            "run_seconds": 0.5,
        },
        "compile": None,
        "files": [
            {"path": "a.txt", "size_bytes": 7, "content": "Grüße", "encoding": "utf-8"},
            {"path": "b.bin", "size_bytes": 2, "content": "/wA=", "encoding": "base64"},
        ],
        "network": None,
        "cache": None,
        "outputs_missing": ["*.csv"],
        "outputs_skipped": ["huge ?.bin"],
    }


@on_loop
async def test_curls_default_form_type_is_the_source_itself(client: Client, runs: FakeRuns) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.run(b"out a=1&b=%20", headers=kind)
    assert answer.json()["stdout"] == "a=1&b=%20"
    assert runs.requests[0].files[0].path == "main.lua"


@pytest.mark.parametrize("kind", ["application/json", "application/vnd.run+json; charset=utf-8"])
@on_loop
async def test_any_json_type_is_a_json_body(client: Client, kind: str) -> None:
    answer = await client.run(b'{"code": "out hi"}', headers={"content-type": kind})
    assert answer.json()["stdout"] == "hi"


@on_loop
async def test_an_alias_is_run_as_its_language(client: Client, runs: FakeRuns) -> None:
    answer = await client("POST", "/v1/run/lua5", content=b"out hi")
    assert answer.json()["language"] == "lua"
    assert runs.requests[0].language == "lua"


@on_loop
async def test_options_reach_the_program(client: Client) -> None:
    answer = await client.run(b"args\nenv\necho", params={"args": ["a", "b"], "env": "X=1"})
    assert answer.json()["stdout"] == "('a', 'b'){'X': '1'}"
    answer = await client.run({"code": "echo", "stdin": "Grüße"})
    assert answer.json()["stdout"] == "Grüße"


@on_loop
async def test_output_that_is_not_text_is_replaced_or_base64(client: Client) -> None:
    answer = await client.run(b"hex 61ff")
    assert answer.json()["stdout"] == "a\N{REPLACEMENT CHARACTER}"
    answer = await client.run(b"hex 61ff", params={"encoding": "base64"})
    assert (answer.json()["stdout"], answer.json()["encoding"]) == ("Yf8=", "base64")


@pytest.mark.parametrize(
    ("request_", "status", "code", "words"),
    [
        ({"headers": {"content-encoding": "gzip"}}, 415, "unsupported_media_type", "as it is"),
        ({"files": {"f": b"x"}}, 415, "unsupported_media_type", "--data-binary @file"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "invalid_request",
         "not JSON"),
        ({"json": {"code": ""}, "params": {"stdin": "a"}}, 400, "invalid_request", "into the body"),
        ({"params": {"colour": "red"}}, 400, "invalid_request", "'colour'"),
        ({"content": b"x" * 5_001}, 413, "too_large", "5001 bytes; 5000 are allowed"),
        ({"json": {"code": "x" * 5_001}}, 413, "too_large", "'main.lua' has 5001 bytes"),
        ({"json": {"code": "x" * 20_000}}, 413, "too_large", "20000 are allowed"),
        ({"params": {"memory_bytes": CEILING + 1}}, 422, "limit_above_ceiling", "ceiling of"),
        ({"content": b"refuse overloaded"}, 503, "overloaded", "queue is full"),
        ({"content": b"lose"}, 503, "cell_lost", "try again"),
        ({"content": b"bug"}, 500, "internal_error", "request id"),
    ],
)  # fmt: skip
@on_loop
async def test_a_request_that_fails_gets_problem_details(
    client: Client, request_: dict[str, Any], status: int, code: str, words: str
) -> None:
    answer = await client("POST", RUN, **request_)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert words in problem["detail"]


@on_loop
async def test_an_unknown_language_is_refused_before_the_body_is_read(app: Starlette) -> None:
    async with Request(app, "POST", "/v1/run/cobol") as request:
        request.send(b"x", more=True)
        start, rest = await request.take(), await request.take()
        assert start["status"] == 404
        assert json.loads(rest["body"])["known"] == ["lua"]


@on_loop
async def test_a_body_declared_too_large_is_refused_before_it_is_read(app: Starlette) -> None:
    headers = [(b"content-length", b"5001")]
    async with Request(app, "POST", RUN, headers=headers) as request:
        assert (await request.take())["status"] == 413


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"x", b"9" * 20, "²".encode("latin-1")])
@on_loop
async def test_a_length_that_is_none_is_refused(app: Starlette, length: bytes) -> None:
    headers = [(b"content-length", length)]
    async with Request(app, "POST", RUN, headers=headers) as request:
        assert (await request.take())["status"] == 400


@on_loop
async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(app: Starlette) -> None:
    async with Request(app, "POST", RUN) as request:
        for _ in range(6):
            request.send(b"x" * 1000, more=True)
        assert (await request.take())["status"] == 413


@on_loop
async def test_a_body_in_many_parts_is_put_together(app: Starlette, runs: FakeRuns) -> None:
    async with Request(app, "POST", RUN) as request:
        for part in (b"out", b" h", b"", b"i"):
            request.send(part, more=True)
        request.send(b"", more=False)
        await request.over()
    assert runs.requests[0].files[0].content == b"out hi"


@on_loop
async def test_a_body_that_does_not_end_is_given_up(
    runs: FakeRuns,
) -> None:
    settings = Settings(server=Server(upload_seconds=0.01))
    app = build(runs, FakeCatalog(), FakeGate(), settings)
    async with Request(app, "POST", RUN) as request:
        request.send(b"out", more=True)
        assert (await request.take())["status"] == 408


@on_loop
async def test_bodies_that_do_not_fit_into_memory_together_wait_for_another_day(
    runs: FakeRuns,
) -> None:
    held = 4
    client = Client(holding(runs, held * (5_000 + Limits().output_bytes)))
    async with asyncio.TaskGroup() as group:
        hanging = [group.create_task(client.run(b"hang".ljust(5_000))) for _ in range(held)]
        await settle()
        refused = await client.run(b"out hi")
        for task in hanging:
            task.cancel()
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert (await client.run(b"out hi")).status_code == 200


@on_loop
async def test_what_a_run_may_write_is_counted_before_it_does(runs: FakeRuns) -> None:
    client = Client(holding(runs, 30_000 + Limits().output_bytes))
    async with asyncio.TaskGroup() as group:
        hanging = group.create_task(client.run(b"hang", params={"output_bytes": 5_000}))
        await settle()
        assert (await client.run(b"out hi")).status_code == 200
        assert (await client.run(b"x", params={"output_bytes": 1 << 40})).status_code == 200
        more = group.create_task(client.run(b"hang", params={"output_bytes": 30_000}))
        await settle()
        assert (await client.run(b"out hi")).status_code == 503
        hanging.cancel()
        more.cancel()


@on_loop
async def test_an_answer_is_counted_until_its_client_has_it(runs: FakeRuns) -> None:
    size = Limits().output_bytes
    large = b"zeros %d" % size
    app = holding(runs, 2 * size + 20_000)
    async with Request(app, "POST", RUN, room=2) as slow:
        slow.send(large)
        await settle()
        assert not slow.silent()
        assert (await Client(app).run(b"out hi")).status_code == 200
        async with Request(app, "POST", RUN, room=2) as other:
            other.send(large)
            await settle()
            third = await Client(app).run(b"out hi")
            assert (third.status_code, third.json()["code"]) == (503, "overloaded")
        while (await slow.take()).get("more_body", True):
            pass
        await slow.over()
    assert (await Client(app).run(large)).status_code == 200


@on_loop
async def test_an_answer_that_finds_no_room_is_refused(runs: FakeRuns) -> None:
    client = Client(holding(runs, Limits().output_bytes + 20_000))
    answer = await client.run(b"zeros %d" % (Limits().output_bytes + 20_000))
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert (await client.run(b"out hi")).status_code == 200


@on_loop
async def test_nothing_of_a_run_is_left_while_its_answer_is_sent(runs: FakeRuns) -> None:
    app = build(runs, FakeCatalog(), FakeGate(), Settings())
    async with Request(app, "POST", RUN, room=1) as slow:
        slow.send(b"text a.txt\nout hi")
        await settle()
        gc.collect()
        assert [each for each in gc.get_objects() if type(each) is Outcome] == []


@on_loop
async def test_a_client_that_takes_its_answer_in_drops_is_given_up(runs: FakeRuns) -> None:
    app = build(runs, FakeCatalog(), FakeGate(), Settings(server=Server(answer_seconds=0.1)))
    async with Request(app, "POST", RUN, room=1) as slow:
        slow.send(b"zeros %d" % (100 * PIECE_BYTES))
        taken = 0
        while not slow.task.done():
            await slow.take()
            taken += 1
            await asyncio.sleep(0.02)
        assert taken < 12
        await slow.over()


@on_loop
async def test_a_client_that_hangs_up_gets_its_cell_killed_at_once(
    app: Starlette, runs: FakeRuns
) -> None:
    async with Request(app, "POST", RUN) as request:
        request.send(b"hang")
        await settle()
        assert runs.live == 1
        request.hang_up()
        await request.over()
        assert (runs.live, runs.killed) == (0, 1)
        assert request.silent()


@on_loop
async def test_a_client_that_hangs_up_while_it_sends_runs_nothing(
    app: Starlette, runs: FakeRuns
) -> None:
    async with Request(app, "POST", RUN) as request:
        request.send(b"out", more=True)
        request.hang_up()
        await request.over()
        assert runs.requests == []
        assert request.silent()


@on_loop
async def test_a_server_that_stops_cancels_the_run(app: Starlette, runs: FakeRuns) -> None:
    async with Request(app, "POST", RUN) as request:
        request.send(b"hang")
        await settle()
        request.task.cancel()
        await asyncio.wait((request.task,))
        assert request.task.cancelled()
    assert runs.killed == 1


@on_loop
async def test_a_run_leaves_no_task_behind(client: Client) -> None:
    before = asyncio.all_tasks()
    for _ in range(3):
        await client.run(b"out hi")
        await client.run(b"bug")
    await settle()
    assert asyncio.all_tasks() == before
