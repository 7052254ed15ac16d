"""Three nodes behind a load balancer are one service, and the death of one costs what was in it."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.integration.cluster import (
    BURST,
    FRESH_SECONDS,
    NAMES,
    Front,
    Load,
    bearer,
    cluster,
    executions,
    records,
)
from tests.integration.outage import waiting

pytestmark = pytest.mark.integration

CLOCK = "import time; print(time.time_ns())"
SHORT = "import time; time.sleep(0.05); print(1)"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with TemporaryDirectory(dir="/tmp") as directory, cluster(Path(directory)) as running:
        yield running


def test_a_token_of_one_node_is_good_on_all_until_its_session_is_ended_on_one(
    front: Front,
) -> None:
    nodes = front.cluster
    _, key = nodes.key()
    granted = httpx.post(f"{nodes.nodes['a'].url}/v1/auth/token", headers=bearer(key)).json()
    token = granted["access_token"]
    assert [nodes.status(name, token) for name in NAMES] == [200, 200, 200]
    sets = {httpx.get(f"{nodes.nodes[name].url}/.well-known/jwks.json").text for name in NAMES}
    assert len(sets) == 1
    body = {"refresh_token": granted["refresh_token"]}
    again = httpx.post(f"{nodes.nodes['b'].url}/v1/auth/refresh", json=body).json()
    ended = httpx.post(f"{nodes.nodes['c'].url}/v1/auth/revoke", json={"token": token})
    assert ended.status_code == 200
    assert nodes.status("c", token) == 401
    time.sleep(FRESH_SECONDS)
    for credential in (token, again["access_token"]):
        assert [nodes.status(name, credential) for name in NAMES] == [401, 401, 401]
    assert [nodes.status(name, key) for name in NAMES] == [200, 200, 200]


def test_a_key_that_was_revoked_on_one_node_is_refused_by_all(front: Front) -> None:
    nodes = front.cluster
    id, key = nodes.key()
    assert [nodes.status(name, key) for name in NAMES] == [200, 200, 200]
    assert nodes.nodes["b"].client.delete(f"/v1/keys/{id}").status_code == 200
    assert nodes.status("b", key) == 401
    time.sleep(FRESH_SECONDS)
    assert [nodes.status(name, key) for name in NAMES] == [401, 401, 401]


def test_of_all_nodes_one_alone_made_a_first_key(front: Front) -> None:
    listed = front.cluster.nodes["c"].client.get("/v1/keys").json()["keys"]
    assert [key["name"] for key in listed].count("first") == 1


def test_a_callers_rate_holds_for_all_nodes_together(front: Front) -> None:
    _, key = front.cluster.key("counted")
    with front.client(key) as client, ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: client.get("/v1/languages").status_code, range(2 * BURST))
        assert Counter(answers) == {200: BURST, 429: BURST}


def test_an_answer_of_one_node_is_given_again_by_another(front: Front) -> None:
    nodes = front.cluster.nodes
    first = nodes["a"].run(CLOCK, cache=True)
    assert first["cache"]["level"] == "none"
    name = f":{first['cache']['key']}"
    nodes["a"].await_true(lambda: front.cluster.knows(name), "it is in Redis")
    found = nodes["b"].run(CLOCK, cache=True)
    assert (found["cache"]["level"], found["stdout"]) == ("redis", first["stdout"])


def test_the_nodes_know_who_the_client_is(front: Front) -> None:
    """Its address has a bucket, and the balancer's none of its requests."""
    with front.client("sbx_wrong", "127.0.0.2") as client:
        assert client.get("/v1/languages").status_code == 401
    assert front.cluster.knows("soulbox:bucket:address:127.0.0.2")


def test_a_stream_and_a_websocket_go_through(front: Front) -> None:
    """Piece by piece: the program goes on only after its first line has reached us."""
    port = front.balancer.port
    key = bearer(front.cluster.admin)
    url = f"ws://127.0.0.1:{port}/v1/run/python"
    with connect(url, additional_headers=key) as talk:
        talk.send(json.dumps({"code": "print('first')\nprint(input())"}))
        assert json.loads(talk.recv())["event"] == "started"
        assert json.loads(talk.recv())["data"] == "first\n"
        talk.send(json.dumps({"stdin": "second\n"}))
        assert json.loads(talk.recv())["data"] == "second\n"
        assert json.loads(talk.recv())["status"] == "ok"
    with (
        front.client(front.cluster.admin) as client,
        client.stream(
            "POST",
            "/v1/run/python",
            content=b"import time\nprint(1)\ntime.sleep(1)\nprint(2)",
            headers={"accept": "application/x-ndjson"},
        ) as stream,
    ):
        events = [json.loads(line) for line in stream.iter_lines()]
    assert [each.get("data") for each in events] == [None, "1\n", "2\n", None]


def test_a_client_that_hangs_up_has_its_run_killed_behind_the_balancer(front: Front) -> None:
    _, key = front.cluster.key()
    with front.client(key) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(
                "/v1/run/python",
                content=b"import time; time.sleep(100)",
                params={"wall_seconds": 100},
                timeout=1.0,
            )
        front.cluster.nodes["a"].await_true(
            lambda: [each["status"] for each in executions(client)] == ["cancelled"],
            "it was cancelled",
        )


def test_a_killed_node_costs_what_was_in_it_and_that_is_told(front: Front) -> None:
    nodes = front.cluster
    keys = [nodes.key()[1] for _ in range(6)]
    with front.client(keys[0]) as client:
        long, answers = _in_background(
            client.post, "/v1/run/python", content=b"import time; time.sleep(12)"
        )
        nodes.nodes["a"].await_true(lambda: any(map(nodes.running, NAMES)), "it runs")
        (victim,) = [name for name in NAMES if nodes.running(name)]
        load = Load(front, keys[:3], keys[3:], SHORT)
        _await_answers(load, 30)
        nodes.nodes[victim].stop(signal.SIGKILL)
        _await_answers(load, load.answers() + 60)
        told = load.end()
        long.join()
        assert answers[0].status_code == 502, "who sent it once is told, and it is not run again"
    front.balancer.await_up(*(name for name in NAMES if name != victim))
    assert [odd for each in told for odd in each.odd] == []
    node = nodes.start(victim)
    front.balancer.await_up(*NAMES)
    node.await_true(lambda: not any(map(waiting, nodes.nodes.values())), "no record waits")
    for each in told:
        with front.client(each.credential) as client:
            kept = records(client)
            usage = client.get("/v1/usage").json()["total"]["runs"]
        assert set(each.answered) - set(kept) == set(), "answered, and not in the records"
        assert len(each.answered) == len(set(each.answered))
        assert set(kept.values()) == {1}
        assert usage == len(kept)
    ran_on = Counter(each["node"] for each in _all_records(front, keys))
    assert len(ran_on) == len(NAMES), "the balancer sent runs to each"
    assert node.run("print(1)")["status"] == "ok"


def test_a_node_that_is_told_to_stop_does_so_without_one_failed_request(front: Front) -> None:
    nodes = front.cluster
    keys = [nodes.key()[1] for _ in range(6)]
    load = Load(front, [], keys, SHORT)
    _await_answers(load, 20)
    assert nodes.nodes["c"].stop(signal.SIGTERM) == 0
    _await_answers(load, load.answers() + 20)
    told = load.end()
    nodes.start("c")
    front.balancer.await_up(*NAMES)
    assert [each.failed + each.odd for each in told] == [[]] * len(keys)


def _in_background(call: Any, *args: Any, **more: Any) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call(*args, **more)))
    thread.start()
    return thread, results


def _await_answers(load: Load, number: int) -> None:
    deadline = time.monotonic() + 60
    while load.answers() < number:
        assert time.monotonic() < deadline, f"only {load.answers()} answers"
        time.sleep(0.02)


def _all_records(front: Front, keys: list[str]) -> Iterator[dict[str, Any]]:
    for key in keys:
        with front.client(key) as client:
            yield from executions(client)
