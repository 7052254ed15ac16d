"""The result cache at the border: asking for it, being told of it, having it forget."""

import pytest
from starlette.applications import Starlette

from soulbox_core.api.application import build
from soulbox_core.api.extras import Extras
from soulbox_core.errors import StoreFailed
from soulbox_core.results.cache import ResultCache
from soulbox_core.settings import Results, Settings
from tests.api.conftest import SMALL, Client
from tests.api.driver import Socket
from tests.api.fakes import FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop
from tests.results.house import Work, outcome
from tests.results.runs import CachedRuns

ADMIN = "admin"


class Failing:
    """A result cache whose Redis is gone."""

    async def drop(self, key: str) -> bool:
        raise StoreFailed("redis gave no answer")

    async def drop_caller(self, caller: str) -> int:
        raise StoreFailed("redis gave no answer")


@pytest.fixture
def cached() -> CachedRuns:
    return CachedRuns()


@pytest.fixture
def to(cached: CachedRuns) -> Client:
    return Client(build(cached, FakeCatalog(), FakeGate(), SMALL, Extras(results=cached.results)))


@on_loop
async def test_an_answer_says_where_it_comes_from(to: Client, cached: CachedRuns) -> None:
    body = {"code": "out hi", "cache": True}
    first, second = (await to.run(body)).json(), (await to.run(body)).json()
    assert len(cached.requests) == 1
    key = first["cache"]["key"]
    assert first["cache"] == {"key": key, "level": "none", "age_seconds": 0.0}
    age = second["cache"]["age_seconds"]
    assert second["cache"] == {"key": key, "level": "memory", "age_seconds": age}
    assert age > 0
    assert {**first, "cache": None} == {**second, "cache": None}
    assert (await to.run({"code": "out hi"})).json()["cache"] is None


@on_loop
@pytest.mark.parametrize(
    ("query", "asked"), [("", None), ("?cache=true", True), ("?cache=false", False)]
)
async def test_a_query_asks_for_it_too(
    to: Client, cached: CachedRuns, query: str, asked: bool | None
) -> None:
    answer = await to("POST", f"/v1/run/lua{query}", content=b"out hi")
    assert answer.status_code == 200
    assert [request.cache for request in cached.requests] == [asked]
    assert (answer.json()["cache"] is not None) == bool(asked)


@on_loop
async def test_an_idempotency_key_goes_with_it(to: Client, cached: CachedRuns) -> None:
    headers = {"idempotency-key": "once"}
    answer = await to.run({"code": "out hi", "cache": True}, headers=headers)
    assert (answer.status_code, cached.keys) == (200, ["once"])


@on_loop
@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_a_stream_is_not_cached(client: Client, runs: FakeRuns, accept: str) -> None:
    headers = {"accept": accept}
    answer = await client.run({"code": "out hi", "cache": True}, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "cache")
    assert runs.requests == []
    answer = await client.run({"code": "out hi", "cache": False}, headers=headers)
    assert answer.status_code == 200


@on_loop
async def test_a_websocket_is_not_cached(app: Starlette, runs: FakeRuns) -> None:
    async with Socket(app, "/v1/run/lua") as socket:
        await socket.take()
        socket.send({"code": "out hi", "cache": True})
        event = await socket.event()
        assert (event["event"], event["code"], event["field"]) == (
            "error",
            "invalid_request",
            "cache",
        )
    assert runs.requests == []


@on_loop
async def test_an_answer_is_dropped_by_its_key(to: Client, cached: CachedRuns) -> None:
    body = {"code": "out hi", "cache": True}
    key = (await to.run(body)).json()["cache"]["key"]
    answer = await to("DELETE", f"/v1/results/{key}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert (await to.run(body)).json()["cache"]["level"] == "none"
    assert (await to("DELETE", f"/v1/results/{key[:-1]}")).status_code == 404
    assert (await to("DELETE", f"/v1/results/{'0' * 64}")).status_code == 404
    assert (await to("DELETE", f"/v1/results/{key}?caller=me")).status_code == 400


@on_loop
async def test_a_callers_answers_are_dropped(to: Client, cached: CachedRuns) -> None:
    for number in range(3):
        await to.run({"code": "out hi", "stdin": str(number), "cache": True})
    await cached.results.once("f" * 64, "key:other", Work(outcome()))
    answer = await to("DELETE", "/v1/results", params={"caller": "address:"})
    assert (answer.status_code, answer.json()) == (200, {"removed": 3})
    assert cached.results.counts.entries == 1
    answer = await to("DELETE", "/v1/results", params={"caller": "nobody"})
    assert answer.json() == {"removed": 0}


@on_loop
@pytest.mark.parametrize("query", ["", "?caller=", "?colour=red", "?caller=a&caller=b"])
async def test_without_a_caller_nothing_is_dropped(
    to: Client, cached: CachedRuns, query: str
) -> None:
    await to.run({"code": "out hi", "cache": True})
    assert (await to("DELETE", f"/v1/results{query}")).status_code == 400
    assert cached.results.counts.entries == 1


@on_loop
async def test_a_drop_that_may_have_done_nothing_says_so() -> None:
    client = Client(build(FakeRuns(), FakeCatalog(), FakeGate(), SMALL, Extras(results=Failing())))
    for path in (f"/v1/results/{'0' * 64}", "/v1/results?caller=me"):
        answer = await client("DELETE", path)
        assert (answer.status_code, answer.json()["code"]) == (503, "store_failed")


@on_loop
async def test_only_admins_drop_answers() -> None:
    gate = FakeGate()
    results = ResultCache(Results())
    client = Client(build(FakeRuns(), FakeCatalog(), gate, Settings(), Extras(results=results)))
    await client("DELETE", f"/v1/results/{'0' * 64}")
    await client("DELETE", "/v1/results?caller=me")
    assert [scope for _, _, scope in gate.asked] == [ADMIN, ADMIN]


@on_loop
async def test_where_nothing_is_kept_these_paths_are_not_there(client: Client) -> None:
    assert (await client("DELETE", f"/v1/results/{'0' * 64}")).status_code == 404
    answer = await client("DELETE", "/v1/results?caller=me")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
