"""What callers are told of what they ran."""

from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from soulbox_core.api.application import build
from soulbox_core.api.extras import Extras
from soulbox_core.api.hold import Hold
from soulbox_core.errors import StoreFailed
from soulbox_core.model import Caller, Timings, Usage
from soulbox_core.settings import Database, Settings
from soulbox_core.store.opening import open_database
from soulbox_core.store.port import Executions, Health
from soulbox_core.store.records import Content, Execution, UsageOfDay
from tests.api.conftest import Client
from tests.api.fakes import FakeCatalog, FakeExecutions, FakeGate, FakeRuns
from tests.loop import on_loop

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
OURS = Caller(id="key:0123456789ab", scopes=frozenset(("execute",)))
THEIRS = Caller(id="key:ba9876543210", scopes=frozenset(("execute",)))
ADMIN = Caller(id="key:aaaaaaaaaaaa", scopes=frozenset(("admin",)))


def id_of(number: int) -> str:
    return f"01890a5d-ac96-774b-bcce-{number:012x}"


def record(number: int, caller: Caller = OURS, **fields: Any) -> Execution:
    described: dict[str, Any] = {
        "id": id_of(number),
        "caller": caller.id,
        "language": "lua",
        "status": "ok",
        "created_at": NOON + number,
        "node": "n1",
        "request_id": f"r{number}",
        "exit_code": 0,
    }
    return Execution(**(described | fields))


class Desk:
    """Somebody who asks, as one caller or another.

    :param real: records in a database, in place of `kept`
    """

    def __init__(self, *kept: Execution, real: Executions | None = None) -> None:
        self.executions = FakeExecutions()
        self.executions.kept = {each.id: each for each in kept}
        self.gate = FakeGate()
        self.gate.caller = OURS
        also = Extras(executions=real or self.executions)
        app = build(FakeRuns(), FakeCatalog(), self.gate, Settings(), also)
        self._client = Client(app)

    async def ask(self, path: str, caller: Caller = OURS) -> httpx.Response:
        self.gate.caller = caller
        return await self._client("GET", path)

    async def listed(self, query: str = "", caller: Caller = OURS) -> tuple[list[str], str | None]:
        """The ids that are told, and the cursor."""
        answer = await self.ask(f"/v1/executions?{query}", caller)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return [each["id"] for each in body["executions"]], body["next"]

    async def refused(self, path: str, caller: Caller = OURS) -> dict[str, Any]:
        answer = await self.ask(path, caller)
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        problem.pop("instance")
        return problem


@on_loop
async def test_a_record_is_told_as_it_is() -> None:
    usage = Usage(wall_seconds=0.5, cpu_seconds=0.25, memory_peak_bytes=1 << 20)
    timings = Timings(
        queue_seconds=0.0,
        install_seconds=None,
        compile_seconds=0.1,
        claim_seconds=0.001,
        run_seconds=0.5,
    )
    told = record(1, created_at=NOON + 0.25, usage=usage, timings=timings)
    desk = Desk(told)
    answer = await desk.ask("/v1/executions")
    assert answer.headers["cache-control"] == "no-store"
    info = {
        "id": id_of(1),
        "caller": OURS.id,
        "language": "lua",
        "status": "ok",
        "created_at": "2026-11-21T12:00:00.250000Z",
        "node": "n1",
        "request_id": "r1",
        "error": None,
        "exit_code": 0,
        "signal": None,
        "usage": {"wall_seconds": 0.5, "cpu_seconds": 0.25, "memory_peak_bytes": 1 << 20},
        "charged_cpu_seconds": 0.0,
        "timings": {
            "queue_seconds": 0.0,
            "install_seconds": None,
            "compile_seconds": 0.1,
            "claim_seconds": 0.001,
            "run_seconds": 0.5,
        },
    }
    assert answer.json() == {"executions": [info], "next": None}
    answer = await desk.ask(f"/v1/executions/{id_of(1)}")
    assert answer.json() == info | {"content": None}


@on_loop
async def test_content_is_told_as_text_or_as_base64() -> None:
    content = Content(
        files={"main.lua": b"print(1)", "x.bin": b"\xff\0"},
        args=("a", "b"),
        stdin="Grüße".encode(),
        stdout=b"\xfe",
        truncated=True,
    )
    desk = Desk(record(1, content=content))
    answer = await desk.ask(f"/v1/executions/{id_of(1)}")
    assert answer.json()["content"] == {
        "files": [
            {"path": "main.lua", "size_bytes": 8, "content": "print(1)", "encoding": "utf-8"},
            {
                "path": "x.bin",
                "size_bytes": 2,
                "content": b64encode(b"\xff\0").decode(),
                "encoding": "base64",
            },
        ],
        "args": ["a", "b"],
        "stdin": {"content": "Grüße", "encoding": "utf-8"},
        "stdout": {"content": b64encode(b"\xfe").decode(), "encoding": "base64"},
        "stderr": None,
        "truncated": True,
    }
    answer = await desk.ask("/v1/executions")
    assert "content" not in answer.json()["executions"][0]


@on_loop
async def test_pages_have_each_record_once_the_newest_first() -> None:
    desk = Desk(*map(record, range(45)), record(99, THEIRS))
    seen, query = [], ""
    for size in (20, 20, 5):
        ids, cursor = await desk.listed(query)
        assert len(ids) == size
        seen += ids
        query = f"cursor={cursor}"
    assert cursor is None
    assert seen == [id_of(number) for number in reversed(range(45))]
    ids, cursor = await desk.listed("limit=45")
    assert (len(ids), cursor) == (45, None)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("language=c", [2]),
        ("status=cancelled", [3]),
        ("language=c&status=failed", []),
        ("since=2026-11-21T12:00:02Z", [3, 2]),
        ("until=2026-11-21T12:00:02Z", [1]),
        ("since=2026-11-21T13:00:02%2B01:00&until=2026-11-21T12:00:02.5Z", [2]),
    ],
)
@on_loop
async def test_fewer_can_be_asked_for(query: str, numbers: list[int]) -> None:
    desk = Desk(record(1), record(2, language="c"), record(3, status="cancelled"))
    ids, _ = await desk.listed(query)
    assert ids == [id_of(number) for number in numbers]


@on_loop
async def test_a_time_that_was_told_finds_its_run() -> None:
    for nanoseconds in range(0, 5_000, 170):
        desk = Desk(record(1, created_at=NOON + nanoseconds / 1e9))
        told = (await desk.ask("/v1/executions")).json()["executions"][0]["created_at"]
        assert (await desk.listed(f"since={quote(told)}"))[0] == [id_of(1)]
        assert (await desk.listed(f"until={quote(told)}"))[0] == []


NOT_A_RUN = urlsafe_b64encode(b"x" * 36).decode()
LAST = urlsafe_b64encode(id_of(1).encode()).decode()


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("colour=red", "query", "unknown query parameter 'colour'; known: caller, cursor"),
        ("limit=0", "query.limit", ">= 1"),
        ("limit=101", "query.limit", "<= 100"),
        ("limit=many", "query.limit", "expected `int`"),
        ("limit=1&limit=2", "query.limit", "given twice"),
        ("language=C%00", "query.language", "regex"),
        ("status=fine", "query.status", "regex"),
        ("since=yesterday", "query.since", "write it as 2026-11-25T08:00:00Z"),
        ("since=2026-11-21T12:00:00", "query.since", "zone"),
        ("until=1795435200", "query.until", "write it as"),
        ("until=2026-11-21T12:00:00+01:00", "query.until", "%2B"),
        ("cursor=", "query.cursor", "length >= 1"),
        ("cursor=" + "A" * 101, "query.cursor", "length <= 100"),
        ("cursor=next", "query.cursor", "take `next` of the answer before"),
        (f"cursor={NOT_A_RUN}", "query.cursor", "take `next`"),
        (f"cursor={LAST}!", "query.cursor", "take `next`"),
        (f"cursor={LAST}=", "query.cursor", "take `next`"),
        ("cursor=%C3%A9", "query.cursor", "take `next`"),
        ("caller=", "query.caller", "length >= 1"),
    ],
)
@on_loop
async def test_what_makes_no_sense_is_refused_by_name(query: str, field: str, words: str) -> None:
    desk = Desk(record(1))
    problem = await desk.refused(f"/v1/executions?{query}")
    assert (problem["status"], problem["code"], problem["field"]) == (400, "invalid_request", field)
    assert words in problem["detail"]
    assert desk.executions.asked == []


@on_loop
async def test_one_execution_takes_no_parameters() -> None:
    problem = await Desk(record(1)).refused(f"/v1/executions/{id_of(1)}?content=1")
    assert (problem["status"], problem["field"]) == (400, "query")


@on_loop
async def test_others_records_are_as_if_they_were_not_there() -> None:
    desk = Desk(record(1), record(2, THEIRS))
    assert (await desk.listed())[0] == [id_of(1)]
    missing = await desk.refused(f"/v1/executions/{id_of(3)}")
    assert (missing["status"], missing["code"]) == (404, "not_found")
    assert await desk.refused(f"/v1/executions/{id_of(2)}") == missing
    for odd in ("x", id_of(1).upper(), id_of(1) + "%0A", "%C3%A9", "key:1"):
        assert await desk.refused(f"/v1/executions/{odd}") == missing
    problem = await desk.refused(f"/v1/executions?caller={THEIRS.id}")
    assert (problem["status"], problem["code"]) == (403, "forbidden")
    problem = await desk.refused(f"/v1/usage?caller={THEIRS.id}")
    assert (problem["status"], problem["code"]) == (403, "forbidden")
    assert (await desk.listed(f"caller={OURS.id}"))[0] == [id_of(1)]


@on_loop
async def test_an_admin_sees_everybodys() -> None:
    desk = Desk(record(1), record(2, THEIRS))
    assert (await desk.listed(caller=ADMIN))[0] == []
    assert (await desk.listed(f"caller={OURS.id}", ADMIN))[0] == [id_of(1)]
    answer = await desk.ask(f"/v1/executions/{id_of(2)}", ADMIN)
    assert (answer.status_code, answer.json()["caller"]) == (200, THEIRS.id)


@on_loop
async def test_a_cursor_of_others_shows_nothing_of_theirs() -> None:
    desk = Desk(record(1), record(2, THEIRS), record(3))
    cursor = urlsafe_b64encode(id_of(2).encode()).decode()
    assert await desk.listed(f"cursor={cursor}") == ([id_of(1)], None)


@on_loop
async def test_who_need_not_prove_who_they_are_see_those_of_their_address() -> None:
    here = Caller(id="address:127.0.0.1", scopes=frozenset(("execute",)))
    there = Caller(id="address:10.0.0.1", scopes=frozenset(("execute",)))
    desk = Desk(record(1, here), record(2, there))
    assert (await desk.listed(caller=here))[0] == [id_of(1)]
    assert (await desk.refused(f"/v1/executions/{id_of(2)}", here))["status"] == 404


def day(name: str, caller: Caller = OURS, runs: int = 2) -> UsageOfDay:
    return UsageOfDay(
        caller=caller.id, day=name, runs=runs, ok=1, cpu_seconds=0.25, wall_seconds=0.5
    )


@on_loop
async def test_usage_is_told_by_day_and_in_all() -> None:
    desk = Desk()
    names = ("2026-11-01", "2026-11-02", "2026-11-30", "2026-12-01")
    desk.executions.days = [*map(day, names), day("2026-11-02", THEIRS, 9)]
    answer = await desk.ask("/v1/usage?since=2026-11-01&until=2026-11-30")
    used = {"runs": 2, "ok": 1, "cpu_seconds": 0.25, "wall_seconds": 0.5}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "days": [used | {"day": name} for name in names[:3]],
        "total": {"runs": 6, "ok": 3, "cpu_seconds": 0.75, "wall_seconds": 1.5},
    }
    theirs = f"/v1/usage?since=2026-11-02&until=2026-11-02&caller={THEIRS.id}"
    answer = await desk.ask(theirs, ADMIN)
    assert answer.json()["total"]["runs"] == 9


@on_loop
async def test_an_answer_is_held_until_its_client_has_it() -> None:
    settings = Settings()
    hold = Hold(settings.server.held_bytes)
    executions = FakeExecutions()
    executions.kept = {id_of(1): record(1, content=Content(stdout=b"x" * 10_000))}
    gate = FakeGate()
    gate.caller = OURS
    app = build(FakeRuns(), FakeCatalog(), gate, settings, Extras(executions=executions), hold)
    held = []

    async def send(message: Any) -> None:
        held.append(hold.held_bytes)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/v1/executions/{id_of(1)}",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await app(scope, receive, send)
    assert min(held) > 10_000
    assert hold.held_bytes == 0
    hold.most_bytes = 10_000
    answer = await Client(app)("GET", f"/v1/executions/{id_of(1)}")
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert hold.held_bytes == 0


@on_loop
async def test_no_usage_is_none() -> None:
    answer = await Desk().ask("/v1/usage")
    assert answer.json() == {
        "days": [],
        "total": {"runs": 0, "ok": 0, "cpu_seconds": 0.0, "wall_seconds": 0.0},
    }


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("until=2026-11-30", ("2026-11-01", "2026-11-30")),
        ("until=0001-01-02", ("0001-01-01", "0001-01-02")),
        ("since=2024-01-01&until=2024-12-31", ("2024-01-01", "2024-12-31")),
    ],
)
@on_loop
async def test_the_days_of_usage(query: str, days: tuple[str, str]) -> None:
    desk = Desk()
    await desk.ask(f"/v1/usage?{query}")
    assert desk.executions.asked_usage == [(OURS.id, *days)]


@on_loop
async def test_usage_unasked_is_that_of_thirty_days() -> None:
    desk = Desk()
    before = datetime.now(UTC).date()
    await desk.ask("/v1/usage")
    after = datetime.now(UTC).date()
    ((_, since, until),) = desk.executions.asked_usage
    assert before.isoformat() <= until <= after.isoformat()
    assert date.fromisoformat(until) - date.fromisoformat(since) == timedelta(days=29)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("day=2026-11-01", "query", "known: caller, since, until"),
        ("since=2026-11-31&until=2026-12-01", "query.since", "no such day"),
        ("since=20261101", "query.since", "regex"),
        ("since=2026-11-01%0A", "query.since", ""),
        ("since=2026-11-02&until=2026-11-01", "query.since", "is after"),
        ("since=2025-11-01&until=2026-11-02", "query.since", "366 days at most"),
    ],
)
@on_loop
async def test_days_that_make_no_sense_are_refused(query: str, field: str, words: str) -> None:
    problem = await Desk().refused(f"/v1/usage?{query}")
    assert (problem["status"], problem["field"]) == (400, field)
    assert words in problem["detail"]


@pytest.mark.parametrize("path", ["/v1/executions", f"/v1/executions/{id_of(1)}", "/v1/usage"])
@on_loop
async def test_a_database_that_fails_is_told(path: str) -> None:
    desk = Desk(record(1))
    desk.executions.failure = StoreFailed("10.0.0.7 does not answer")
    answer = await desk.ask(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_failed")
    assert "10.0.0.7" not in answer.text
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/v1/executions", f"/v1/executions/{id_of(1)}", "/v1/usage"])
@on_loop
async def test_without_records_there_is_nothing_to_ask(client: Client, path: str) -> None:
    assert (await client("GET", path)).status_code == 404
    document = (await client("GET", "/openapi.json")).json()
    assert not any(each.startswith(("/v1/executions", "/v1/usage")) for each in document["paths"])


@pytest.mark.parametrize(
    ("health", "told"),
    [
        (Health(primary=True), {"primary": True, "replicas": []}),
        (
            Health(primary=False, replicas=(True, False)),
            {"primary": False, "replicas": [True, False]},
        ),
    ],
)
@on_loop
async def test_readiness_tells_of_the_database_and_does_not_rest_on_it(
    health: Health, told: dict[str, Any]
) -> None:
    app = build(FakeRuns(), FakeCatalog(), FakeGate(), Settings(), Extras(health=lambda: health))
    answer = await Client(app)("GET", "/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["database"] == told


@on_loop
async def test_on_a_real_database(tmp_path: Path) -> None:
    def kept(number: int, caller: Caller = OURS, **fields: Any) -> Execution:
        milliseconds = f"{int((NOON + number) * 1000):012x}"
        id = f"{milliseconds[:8]}-{milliseconds[8:]}-774b-bcce-000000000000"
        return record(number, caller, id=id, **fields)

    ours = [kept(number, content=Content(stdout=b"hi")) for number in range(7)]
    theirs = kept(8, THEIRS)
    async with open_database(Database(), tmp_path) as stores:
        await stores.executions.add("b1", [*ours, theirs, kept(9, language="c", status="failed")])
        desk = Desk(real=stores.executions)
        seen, query = [], "language=lua&limit=3"
        for size in (3, 3, 1):
            ids, cursor = await desk.listed(query)
            assert len(ids) == size
            seen += ids
            query = f"language=lua&limit=3&cursor={cursor}"
        assert cursor is None
        assert seen == [each.id for each in reversed(ours)]
        for number in (2, 3):
            told = quote(f"2026-11-21T12:00:0{number}Z")
            assert len((await desk.listed(f"until={told}"))[0]) == number
        assert len((await desk.listed("status=failed"))[0]) == 1
        answer = await desk.ask(f"/v1/executions/{ours[0].id}")
        assert answer.json()["content"]["stdout"] == {"content": "hi", "encoding": "utf-8"}
        assert (await desk.ask(f"/v1/executions/{theirs.id}")).status_code == 404
        answer = await desk.ask("/v1/usage?since=2026-11-20&until=2026-11-22")
        assert [(day["day"], day["runs"]) for day in answer.json()["days"]] == [("2026-11-21", 8)]
        assert answer.json()["total"]["ok"] == 7
