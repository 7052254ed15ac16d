"""Three nodes behind a load balancer are one service, and the death of one costs what was in it."""

import json
import signal
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.sync.client import connect

from soulbox_core.rpc.servicer import SERVICE
from soulbox_core.rpc.v1 import soulbox_pb2 as pb
from tests.integration.cluster import (
    BURST,
    FRESH_SECONDS,
    GATED,
    NAMES,
    Front,
    Load,
    bearer,
    cluster,
    executions,
    records,
)
from tests.integration.outage import waiting
from tests.integration.patience import patient

# Three nodes start, and one again, which takes its time on two cores that others use too.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

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


def test_of_nodes_that_start_at_one_time_one_alone_made_a_first_key(front: Front) -> None:
    listed = front.cluster.nodes["c"].client.get("/v1/keys").json()["keys"]
    assert [key["name"] for key in listed].count("first") == 1


def test_a_request_with_an_idempotency_key_runs_on_one_node_alone(front: Front) -> None:
    def asked(name: str) -> httpx.Response:
        nodes = front.cluster.nodes
        return nodes[name].client.post("/v1/run/python", content=CLOCK.encode(), headers=headers)

    headers = {"idempotency-key": str(uuid4())}
    with ThreadPoolExecutor(len(NAMES)) as threads:
        answers = [*threads.map(asked, NAMES), *map(asked, NAMES)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert Counter(replayed) == {None: 1, "true": len(answers) - 1}


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
    with front.client("sbx_wrong", address="127.0.0.2") as client:
        # A bucket is forgotten once it is full again, which may be before we look.
        for _ in range(100):
            assert client.get("/v1/languages").status_code == 401
            if front.cluster.knows("soulbox:bucket:address:127.0.0.2"):
                break
        else:
            raise AssertionError(front.cluster.redis.keys())


def test_a_stream_and_a_websocket_go_through(front: Front) -> None:
    """Piece by piece: the program goes on only after its first line has reached us."""
    key = bearer(front.cluster.admin)
    url = f"wss://localhost:{front.balancer.ports.http}/v1/run/python"
    trust = ssl.create_default_context(cafile=front.balancer.certificate)
    with connect(url, additional_headers=key, ssl=trust) as talk:
        talk.send(json.dumps({"code": "print('first')\nprint(input())"}))
        assert json.loads(talk.recv())["event"] == "started"
        assert json.loads(talk.recv())["data"] == "first\n"
        talk.send(json.dumps({"stdin": "second\n"}))
        assert json.loads(talk.recv())["data"] == "second\n"
        assert json.loads(talk.recv())["status"] == "ok"
    with (
        front.client(front.cluster.admin, http2=True) as client,
        client.stream(
            "POST",
            "/v1/run/python",
            content=b"import time\nprint(1)\ntime.sleep(1)\nprint(2)",
            headers={"accept": "application/x-ndjson"},
        ) as stream,
    ):
        events = [json.loads(line) for line in stream.iter_lines()]
    assert stream.http_version == "HTTP/2"
    assert [each.get("data") for each in events] == [None, "1\n", "2\n", None]


def test_grpc_calls_are_shared_out(front: Front) -> None:
    """Calls of one client, on one connection, run on all nodes."""
    _, key = front.cluster.key()
    request = pb.ExecuteRequest(language="python", code=b"print('hi')")
    with front.channel() as channel, front.client(key) as client:
        execute = channel.unary_unary(
            f"/{SERVICE}/Execute", pb.ExecuteRequest.SerializeToString, pb.Result.FromString
        )
        metadata = (("authorization", f"Bearer {key}"),)
        with ThreadPoolExecutor(2 * len(NAMES)) as threads:
            calls = [
                threads.submit(execute, request, timeout=patient(30), metadata=metadata)
                for _ in range(4 * len(NAMES))
            ]
        assert {call.result().stdout for call in calls} == {b"hi\n"}
        front.cluster.nodes["a"].await_true(
            lambda: records(client).total() == len(calls), "all records are there"
        )
        assert len({each["node"] for each in executions(client)}) == len(NAMES)


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


def test_a_killed_node_costs_what_was_in_it_and_that_is_told_or_done_again(front: Front) -> None:
    nodes = front.cluster
    keys = [nodes.key()[1] for _ in range(6)]
    with ThreadPoolExecutor(len(NAMES) + 1) as threads:
        keyed = [threads.submit(_gated, front, keys[0], str(uuid4())) for _ in NAMES]
        _await_running(front, 1, 1, 1)
        plain = threads.submit(_gated, front, keys[3])
        _await_running(front, 1, 1, 2)
        (victim,) = [name for name in NAMES if nodes.running(name) == 2]
        try:
            with Load(front, keys[:3], keys[3:], SHORT) as load:
                load.await_answers(30)
                nodes.nodes[victim].stop(signal.SIGKILL)
                load.await_answers(60)
        finally:
            nodes.open_gate()
        assert plain.result().status_code == 502, "who sent no key is told that it is lost"
        through = [answer.result().json() for answer in keyed]
        assert [each["stdout"] for each in through] == ["through\n"] * len(NAMES)
    front.balancer.await_up(*(name for name in NAMES if name != victim))
    node = nodes.start(victim)
    front.balancer.await_up(*NAMES)
    node.await_true(lambda: not any(map(waiting, nodes.nodes.values())), "no record waits")
    load.told[0].answered += [each["id"] for each in through]
    assert [told.odd for told in load.told] == [[]] * len(keys)
    assert [told.failed for told in load.told[:3]] == [[]] * 3, "the balancer has it done again"
    for told in load.told:
        with front.client(told.credential) as client:
            kept = records(client)
            usage = client.get("/v1/usage").json()["total"]["runs"]
        assert len(told.answered) == len(set(told.answered))
        assert set(told.answered) - set(kept) == set(), "answered, and not in the records"
        assert set(kept.values()) == {1}
        assert usage == len(kept)
    ran_on = {each["node"] for each in _all_records(front, keys)}
    assert len(ran_on) == len(NAMES), "the balancer sent runs to each"


def test_a_node_that_is_told_to_stop_does_so_without_one_failed_request(front: Front) -> None:
    nodes = front.cluster
    keys = [nodes.key()[1] for _ in range(6)]
    with Load(front, [], keys, SHORT) as load:
        load.await_answers(20)
        assert nodes.nodes["c"].stop(signal.SIGTERM) == 0
        load.await_answers(20)
    nodes.start("c")
    front.balancer.await_up(*NAMES)
    assert [told.failed + told.odd for told in load.told] == [[]] * len(keys)


def _gated(front: Front, credential: str, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"idempotency-key": key}
    body = {"code": GATED, "mounts": ["gate"], "limits": {"wall_seconds": 100}}
    with front.client(credential) as client:
        return client.post("/v1/run/python", json=body, headers=headers, timeout=patient(100))


def _await_running(front: Front, *numbers: float) -> None:
    """Return when the nodes have so many runs under way, in whatever order."""
    nodes = front.cluster
    nodes.nodes["a"].await_true(
        lambda: sorted(map(nodes.running, NAMES)) == sorted(numbers), f"{numbers} run"
    )


def _all_records(front: Front, keys: list[str]) -> Iterator[dict[str, Any]]:
    for key in keys:
        with front.client(key) as client:
            yield from executions(client)
