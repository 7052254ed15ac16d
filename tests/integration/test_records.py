"""Records of real runs, in a real database, that goes away."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.outage import ids, kept_records, service_on, waiting
from tests.integration.service import PYTHON_ALONE, Service
from tests.store.server import SurrealServer, surreal_server

pytestmark = pytest.mark.integration

CANARY = "canary-7f3a"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SurrealServer]:
    with surreal_server(tmp_path / "database") as server:
        yield server


def health(service: Service) -> dict[str, object]:
    found: dict[str, object] = service.client.get("/readyz").json()["database"]
    return found


def test_no_record_is_lost_or_doubled_by_an_outage_and_a_kill() -> None:
    kept = kept_records("records-outage", 3.0)
    assert kept.answered > 10
    assert (kept.lost, kept.doubled) == (0, 0)


def test_what_was_answered_is_recorded_although_the_service_was_killed() -> None:
    service = Service("records-killed", *PYTHON_ALONE)
    answered = [service.run(f"print({number})")["id"] for number in range(5)]
    service.stop(signal.SIGKILL)
    service = Service("records-killed", *PYTHON_ALONE)
    try:
        service.await_true(lambda: waiting(service) == 0, "no record waits")
        assert ids(service)[:5] == answered[::-1]
    finally:
        service.stop()


def test_a_record_says_how_it_ended_and_nothing_of_the_program() -> None:
    service = Service("records-plain", *PYTHON_ALONE)
    try:
        ran = service.run(f"import sys; print('{CANARY}'); sys.exit(3)", stdin=CANARY)
        service.await_true(lambda: ran["id"] in ids(service), "the record is there")
        record = service.client.get(f"/v1/executions/{ran['id']}")
        told = record.json()
        assert (told["status"], told["exit_code"], told["language"]) == ("failed", 3, "python")
        assert told["usage"] == ran["usage"]
        assert CANARY not in record.text
        listed = service.client.get("/v1/executions", params={"status": "failed", "limit": 1})
        assert [each["id"] for each in listed.json()["executions"]] == [ran["id"]]
        assert service.client.get("/v1/usage").json()["total"]["runs"] >= 1
    finally:
        service.stop()


def test_content_is_kept_where_the_operator_wants_it() -> None:
    service = Service("records-content", *PYTHON_ALONE, "records.code=true", "records.output=true")
    try:
        ran = service.run(f"print('{CANARY}' * 2)", stdin="in")
        service.await_true(lambda: ran["id"] in ids(service), "the record is there")
        told = json.dumps(service.client.get(f"/v1/executions/{ran['id']}").json())
        assert f"print('{CANARY}' * 2)" in told
        assert f"{CANARY}{CANARY}\\n" in told
    finally:
        service.stop()


def test_without_records_nothing_is_written_and_nobody_can_ask() -> None:
    service = Service("records-off", *PYTHON_ALONE, "records.enabled=false")
    try:
        service.run("print(1)")
        assert service.client.get("/v1/executions").status_code == 404
        assert health(service) is None
    finally:
        service.stop()


def test_callers_who_were_seen_are_let_in_while_the_database_is_away(
    database: SurrealServer,
) -> None:
    service = service_on("records-auth", database, "database.fresh_seconds=0.1", auth=True)
    try:
        assert service.run("print(1)")["status"] == "ok"
        assert health(service)["primary"] is True
        database.kill()
        for _ in range(3):
            assert service.run("print(2)")["status"] == "ok"
        stranger = {"authorization": f"Bearer sbx_{'0' * 12}_{'A' * 43}"}
        url = f"{service.url}/v1/run/python"
        unknown = httpx.post(url, content=b"print(3)", headers=stranger)
        assert (unknown.status_code, unknown.json()["code"]) == (503, "store_failed")
        assert health(service)["primary"] is False
        assert service.client.get("/readyz").status_code == 200
        assert waiting(service) > 0
        database.start()
        service.await_true(lambda: waiting(service) == 0, "no record waits")
        service.await_true(lambda: health(service)["primary"] is True, "the database is well")
        assert len(ids(service)) == 4
        assert httpx.post(url, content=b"print(4)", headers=stranger).status_code == 401
    finally:
        service.stop()


def test_a_database_that_is_away_at_the_start_stops_it_and_says_what_to_do(
    database: SurrealServer,
) -> None:
    database.kill()
    with pytest.raises(AssertionError, match=r"the database cannot be used.*database\.url"):
        service_on("records-start", database).stop()
