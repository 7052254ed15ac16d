"""Who passes, and what the answer says of it."""

import pytest

from soulbox_core.api.addresses import network_of
from soulbox_core.api.application import build
from soulbox_core.api.guard import CREDENTIAL_BYTES, credential_of
from soulbox_core.api.rates import rate_headers
from soulbox_core.errors import Forbidden, RateLimited, Unauthenticated
from soulbox_core.model import Standing
from soulbox_core.settings import Settings
from tests.api.conftest import Client
from tests.api.driver import Socket
from tests.api.fakes import ANYBODY, FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop

STANDING = Standing(share="caller", limit=100, window_seconds=2.0, remaining=99, reset_seconds=0.02)
EMPTY = Standing(
    share="caller",
    limit=100,
    window_seconds=2.0,
    remaining=0,
    reset_seconds=2.0,
    allowed=False,
    retry_after_seconds=1.2,
)


class House:
    def __init__(self) -> None:
        self.runs, self.gate = FakeRuns(), FakeGate()
        self.app = build(self.runs, FakeCatalog(), self.gate, Settings())
        self.client = Client(self.app)


@on_loop
async def test_the_run_is_its_callers() -> None:
    house = House()
    answer = await house.client.run(b"out hi", headers={"authorization": "Bearer abc"})
    assert answer.status_code == 200
    assert house.gate.asked == [("abc", "127.0.0.1", "execute")]
    assert house.runs.callers == [ANYBODY]


@on_loop
async def test_who_is_nobody_is_told_no_more_than_that() -> None:
    house = House()
    house.gate.refusal = Unauthenticated()
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}):
        answer = await house.client.run(b"out hi", headers=headers)
        problem = answer.json()
        assert answer.status_code == problem["status"] == 401
        assert problem["code"] == "unauthenticated"
        assert answer.headers["www-authenticate"] == 'Bearer realm="soulbox"'
        assert "wrong" not in answer.text
    assert house.runs.requests == []


@on_loop
async def test_who_may_not_is_forbidden() -> None:
    house = House()
    house.gate.refusal = Forbidden("this takes a key or token with the scope 'execute'")
    answer = await house.client("GET", "/v1/languages")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@on_loop
async def test_the_answer_tells_how_the_caller_stands() -> None:
    house = House()
    house.gate.standings = (STANDING,)
    answer = await house.client.run(b"out hi")
    assert answer.headers["ratelimit-policy"] == '"caller";q=100;w=2'
    assert answer.headers["ratelimit"] == '"caller";r=99;t=1'


@on_loop
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/run/lua"), ("GET", "/docs")])
async def test_too_many_requests_are_told_when_to_come_again(method: str, path: str) -> None:
    house = House()
    house.gate.refusal = RateLimited("too many", standing=EMPTY)
    answer = await house.client(method, path)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["retry_after_seconds"] == 2
    assert answer.headers["ratelimit"] == '"caller";r=0;t=2'
    assert house.runs.requests == []


@on_loop
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_nobody_can_use_up_what_a_balancer_asks(path: str) -> None:
    house = House()
    house.gate.refusal = RateLimited("too many", standing=EMPTY)
    assert (await house.client("GET", path)).status_code == 200


@on_loop
async def test_a_websocket_is_refused_before_its_handshake() -> None:
    house = House()
    house.gate.refusal = Unauthenticated()
    async with Socket(house.app, "/v1/run/lua") as socket:
        start = await socket.take()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((), None),
        ((b"Bearer abc",), "abc"),
        ((b"bearer  abc ",), "abc"),
        ((b"Bearer",), "-"),
        ((b"Basic abc",), "-"),
        ((b"Bearer \xff",), "-"),
        ((b"Bearer abc", b"Bearer abc"), "-"),
        ((b"Bearer " + b"a" * CREDENTIAL_BYTES,), "-"),
    ],
)
def test_a_credential_is_one_bearer(values: tuple[bytes, ...], found: str | None) -> None:
    headers = [(b"host", b"x"), *((b"authorization", value) for value in values)]
    assert credential_of(headers) == found


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
    ],
)
def test_the_addresses_of_one_subscriber_are_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_several_buckets_are_one_list() -> None:
    named = dict(rate_headers((STANDING, EMPTY)))
    assert named[b"ratelimit"] == b'"caller";r=99;t=1, "caller";r=0;t=2'
