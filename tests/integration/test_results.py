"""Answers of real runs, out of the result cache."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from tests.integration.service import PYTHON_ALONE, Service
from tests.quotas.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.integration

SECRET = "not-a-secret-but-long-enough-for-one"
CLOCK = "import time; print(time.time_ns())"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


def flags(server: RedisServer) -> tuple[str, ...]:
    return (f"results.redis={server.url}", f"results.secret={SECRET}", "results.redis_seconds=1")


def level(answer: dict[str, object]) -> object:
    found = answer["cache"]
    assert isinstance(found, dict)
    return found["level"]


def test_an_answer_is_given_again_to_who_will_have_it() -> None:
    service = Service("results-memory", *PYTHON_ALONE, auth=True)
    try:
        first = service.run(CLOCK, cache=True)
        again = service.run(CLOCK, cache=True)
        assert (level(first), level(again)) == ("none", "memory")
        assert (first["stdout"], first["id"]) == (again["stdout"], again["id"])
        fresh = service.run(CLOCK)
        assert fresh["cache"] is None
        assert fresh["stdout"] != first["stdout"]
        assert level(service.run(CLOCK, cache=True, stdin="x")) == "none"
        assert level(service.run("raise SystemExit(1)", cache=True)) == "none"
        assert level(service.run("raise SystemExit(1)", cache=True)) == "none"
        key = first["cache"]["key"]
        assert service.client.delete(f"/v1/results/{key}").status_code == 204
        assert level(service.run(CLOCK, cache=True)) == "none"
    finally:
        service.stop()


def test_equal_requests_at_one_time_are_one_run() -> None:
    service = Service("results-joined", *PYTHON_ALONE)
    try:
        code = "import time; time.sleep(0.5); print(time.time_ns())"
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: service.run(code, cache=True), range(4)))
        assert len({answer["stdout"] for answer in answers}) == 1
        assert sorted(map(str, map(level, answers))) == ["joined", "joined", "joined", "none"]
    finally:
        service.stop()


def test_nodes_share_answers_and_a_changed_one_is_never_served(shared: RedisServer) -> None:
    one = Service("results-one", *PYTHON_ALONE, *flags(shared))
    two = Service("results-two", *PYTHON_ALONE, *flags(shared))
    client = redis.Redis(unix_socket_path=shared.url.removeprefix("unix://"))
    try:
        first = one.run(CLOCK, cache=True)
        one.await_true(lambda: bool(client.keys("soulbox:result:*")), "it is in Redis")
        found = two.run(CLOCK, cache=True)
        assert (level(found), found["stdout"]) == ("redis", first["stdout"])
        (name,) = client.keys("soulbox:result:*")
        kept = client.get(name)
        assert isinstance(kept, bytes)
        client.set(name, kept.replace(first["stdout"].strip().encode(), b"0" * 19))
        two.stop()
        two = Service("results-two", *PYTHON_ALONE, *flags(shared))  # its memory is empty
        anew = two.run(CLOCK, cache=True)
        assert level(anew) == "none"
        assert anew["stdout"] != first["stdout"]
        damaged = 'soulbox_cache_damaged_total{cache="result"} 1.0'
        assert damaged in two.client.get("/metrics").text
    finally:
        client.close()
        one.stop()
        two.stop()


def test_a_redis_that_is_gone_or_hangs_costs_no_run(shared: RedisServer) -> None:
    service = Service("results-gone", *PYTHON_ALONE, *flags(shared))
    try:
        assert level(service.run(CLOCK, cache=True)) == "none"
        shared.pause()
        assert service.run("print(1)", cache=True)["stdout"] == "1\n"
        shared.resume()
        shared.kill()
        assert service.run("print(2)", cache=True)["stdout"] == "2\n"
        assert level(service.run(CLOCK, cache=True)) == "memory"
    finally:
        service.stop()
