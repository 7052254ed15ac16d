"""Lists of records: what is in them, and by which way the engine finds it."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from soulbox_core.store.embedded import open_embedded
from soulbox_core.store.executions import SurrealExecutions
from soulbox_core.store.listing import accepted_before, belongs, listing
from soulbox_core.store.migrations import migrate
from soulbox_core.store.records import Execution, ExecutionQuery
from soulbox_core.store.replicas import Replicas
from soulbox_core.store.tally import Tally
from tests.loop import on_loop
from tests.store.conftest import Open
from tests.store.samples import NOW, execution

CALLER = "key:0123456789ab"
LANGUAGES = ("python", "go", "rust")
STATUSES = ("ok", "failed", "cancelled", "error")

RECORDS = [
    execution(
        number,
        language=LANGUAGES[number % 3],
        status=STATUSES[number % 4],
        caller=CALLER if number % 5 else "key:other",
    )
    for number in range(200)
]
QUERIES = [
    ExecutionQuery(
        caller=CALLER,
        language=language,
        status=status,
        since=since,
        until=until,
        before=before,
        limit=7,
    )
    for language, status, since, until, before in product(
        (None, "go", "cobol"),
        (None, "failed"),
        (None, NOW + 40.0),
        (None, NOW + 150.0),
        (None, RECORDS[120].id),
    )
]
INDEXES = {
    (False, False): "execution_caller",
    (True, False): "execution_language",
    (False, True): "execution_status",
    (True, True): "execution_language_status",
}


def wanted(records: Iterable[Execution], query: ExecutionQuery) -> tuple[Execution, ...]:
    """What must come of it."""
    found = (each for each in records if belongs(each, query))
    return tuple(sorted(found, key=lambda each: each.id, reverse=True)[: query.limit])


@on_loop
async def test_every_filter_finds_what_it_names_the_newest_first(opened: Open) -> None:
    async with opened() as stores:
        await stores.executions.add("b", RECORDS)
        sizes = set()
        for query in QUERIES:
            found = await stores.executions.executions(query)
            assert found == wanted(RECORDS, query), query
            sizes.add(len(found))
        assert {0, 7} <= sizes


@on_loop
async def test_pages_follow_one_another_without_a_gap(opened: Open) -> None:
    async with opened() as stores:
        await stores.executions.add("b", RECORDS)
        pages: list[Execution] = []
        while page := await stores.executions.executions(
            ExecutionQuery(caller=CALLER, limit=9, before=pages[-1].id if pages else None)
        ):
            pages += page
        assert tuple(pages) == wanted(RECORDS, ExecutionQuery(caller=CALLER, limit=1000))


@on_loop
async def test_times_are_exact(opened: Open) -> None:
    # An id may be made a moment before or after its run is accepted.
    moments = [NOW, NOW + 0.0004, NOW + 0.001, NOW + 0.9]
    records = [
        execution(number, id=execution(number, created_at=at + 0.3).id, created_at=at)
        for number, at in enumerate(moments)
    ]
    async with opened() as stores:
        await stores.executions.add("b", records)
        for since, until in product([None, *moments], [None, *moments]):
            query = ExecutionQuery(caller=CALLER, since=since, until=until)
            found = await stores.executions.executions(query)
            assert [each.created_at for each in found] == [
                at
                for at in reversed(moments)
                if (since is None or at >= since) and (until is None or at < until)
            ]


@on_loop
@pytest.mark.parametrize("at", [-1e30, -5.0, 1e30, float("inf"), float("nan")])
async def test_no_time_is_too_far_away(opened: Open, at: float) -> None:
    async with opened() as stores:
        await stores.executions.add("b", [execution()])
        for query in (
            ExecutionQuery(caller=CALLER, since=at),
            ExecutionQuery(caller=CALLER, until=at),
        ):
            found = await stores.executions.executions(query)
            assert found == wanted([execution()], query)
        assert await stores.executions.forget(min(at, NOW)) == 0


@on_loop
async def test_no_list_reads_a_table_or_sorts(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        executions = SurrealExecutions(database, Replicas(database, (), Tally()))
        await executions.add("b", RECORDS)
        for query in QUERIES:
            asked = listing(query)
            plan = await database.ask(f"{asked.query} EXPLAIN FULL", **asked.values)
            steps = {step["operation"]: step["detail"] for step in plan}
            way = steps["Iterate Index"]["plan"]
            filters = [value for value in (query.language, query.status) if value is not None]
            assert way["index"] == INDEXES[query.language is not None, query.status is not None]
            assert way["prefix"] == [CALLER, *filters]
            assert len(way["ranges"]) == 2
            assert not {"Iterate Table", "Fallback"} & steps.keys()
            assert steps["Collector"] == {"type": "Memory"}  # and no order
            assert steps["Fetch"]["count"] <= len(wanted(RECORDS, query))


@on_loop
async def test_what_is_forgotten_is_found_by_a_range(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        query = "SELECT VALUE id FROM $range WHERE created_at < $at LIMIT 10 EXPLAIN"
        plan: list[dict[str, Any]] = await database.ask(query, range=accepted_before(NOW), at=NOW)
        assert [step["operation"] for step in plan] == ["Iterate Range", "Collector"]
