"""The HTTP side on the real service, whose sandbox alone is a fake: the two fit together."""

import json

import pytest
from starlette.applications import Starlette

from soulbox_core.api.application import build
from soulbox_core.execution.executor import Executor
from soulbox_core.model import Limits
from soulbox_core.registry import Registry
from soulbox_core.service.account import Accounts
from soulbox_core.service.admission import Admission
from soulbox_core.service.allotment import Allotments
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.idempotency import Idempotency
from soulbox_core.service.policy import Policies
from soulbox_core.service.room import Room
from soulbox_core.service.runs import Runs
from soulbox_core.settings import Settings
from tests.api.conftest import Client
from tests.api.driver import Request, Socket
from tests.api.fakes import FakeGate
from tests.fakes import (
    FakeSandbox,
    Program,
    Spending,
    Store,
    echoes,
    hangs,
    hello,
    is_lost,
    preparing,
)
from tests.loop import on_loop, settle
from tests.samples import language

RUN = "/v1/run/lua"


def house(*programs: Program) -> tuple[Starlette, FakeSandbox]:
    settings = Settings()
    sandbox = FakeSandbox(*programs)
    executor = Executor(sandbox)
    registry = Registry(languages={"lua": language()}, names={"lua": "lua"})
    catalog = Catalog(registry, sandbox, executor, Limits())
    room = Room(memory_bytes=1 << 30, processes=1000)
    admission = Admission(room=room, queue=4, queue_seconds=60.0)
    store = Store()
    sandbox.kept.append(store)
    runs = Runs(
        catalog,
        Policies(settings),
        Allotments(Spending()),
        admission,
        *preparing(sandbox, executor, store),
        executor,
        Idempotency(60.0, 64 << 20),
        Accounts(),
        settings.limits,
    )
    return build(runs, catalog, FakeGate(), settings), sandbox


@on_loop
async def test_hello_world() -> None:
    app, _ = house(hello)
    answer = await Client(app).run(b"print('Hello, World!')")
    assert (answer.json()["status"], answer.json()["stdout"]) == ("ok", "Hello, World!\n")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/run/cobol", 404), (f"{RUN}?memory_bytes=99999999999", 422), ("/v1/languages", 405)],
)
@on_loop
async def test_the_services_refusals_are_problems(path: str, status: int) -> None:
    app, _ = house(hello)
    assert (await Client(app)("POST", path)).status_code == status


@on_loop
async def test_a_stream_and_its_failure() -> None:
    app, _ = house(is_lost(("stdout", b"a")))
    answer = await Client(app).run(b"", headers={"accept": "application/x-ndjson"})
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert [event["event"] for event in events] == ["started", "stdout", "error"]
    assert events[-1]["code"] == "cell_lost"


@on_loop
async def test_a_talk() -> None:
    app, _ = house(echoes)
    async with Socket(app, RUN) as socket:
        await socket.take()
        socket.send({"code": "", "stdin": "a"})
        assert (await socket.event())["event"] == "started"
        assert (await socket.event())["data"] == "a"
        socket.send(b"b")
        assert (await socket.event())["data"] == "b"
        socket.send({"eof": True})
        assert (await socket.event())["event"] == "result"
        assert (await socket.take())["code"] == 1000


@pytest.mark.parametrize("accept", [b"application/json", b"text/event-stream"])
@on_loop
async def test_hanging_up_kills_the_cell(accept: bytes) -> None:
    app, sandbox = house(hangs)
    async with Request(app, "POST", RUN, headers=[(b"accept", accept)]) as request:
        request.send(b"")
        await settle()
        assert len(sandbox.live_cells) == 1
        request.hang_up()
        await request.over()
    assert sandbox.cells[0].killed
    assert not sandbox.live_cells
