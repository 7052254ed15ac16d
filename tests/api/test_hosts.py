import json

import pytest
from starlette.applications import Starlette

from soulbox_core.api.application import build
from soulbox_core.api.hosts import hosts_of
from soulbox_core.settings import Server, Settings
from tests.api.driver import Request, Socket
from tests.api.fakes import FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop

RUN = "/v1/run/lua"


def serving(runs: FakeRuns, server: Server) -> Starlette:
    return build(runs, FakeCatalog(), FakeGate(), Settings(server=server))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_on_loopback_only_its_names_are_known(host: str) -> None:
    known = hosts_of(Server(host=host))
    assert known is not None
    assert {b"localhost", b"127.0.0.1", b"[::1]"} <= known


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "box.example"])
def test_elsewhere_any_name_will_do_until_some_are_set(host: str) -> None:
    assert hosts_of(Server(host=host)) is None
    known = hosts_of(Server(host=host, hosts=("Box.example",)))
    assert known is not None
    assert b"box.example" in known
    own = f"[{host}]" if ":" in host else host  # as the Host header has it
    assert own.encode() in known


@pytest.mark.parametrize(
    "host",
    [
        b"localhost",
        b"LocalHost:8000",
        b"127.0.0.1",
        b"127.0.0.1:1",
        b"[::1]",
        b"[::1]:8000",
        b"Box.example:443",
    ],
)
@on_loop
async def test_our_own_names_are_answered(runs: FakeRuns, host: bytes) -> None:
    app = serving(runs, Server(hosts=("box.example",)))
    async with Request(app, "GET", "/healthz", headers=[(b"host", host)]) as request:
        request.send(b"")
        assert (await request.take())["status"] == 200


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"evil.example:8000",
        b"localhost.evil.example",
        b"localhost@evil.example",
        b"127.0.0.1.evil.example",
        b"[::1].evil.example",
        b"[::1",
        b"",
        b":8000",
        b"\xff",
    ],
)
@on_loop
async def test_a_name_that_was_rebound_to_us_is_refused(runs: FakeRuns, host: bytes) -> None:
    app = serving(runs, Server())
    headers = [(b"host", host)]
    async with Request(app, "POST", RUN, headers=headers) as request:
        request.send(b"out hi")
        start, body = await request.take(), await request.take()
        assert (start["status"], json.loads(body["body"])["code"]) == (421, "misdirected_request")
    async with Socket(app, RUN, headers=headers) as socket:
        assert (await socket.take())["status"] == 421
    assert runs.requests == []
