"""Records of runs and their callers' usage, in a database of each kind."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from surrealdb import RecordID

from soulbox_core.errors import StoreFailed
from soulbox_core.settings import Database
from soulbox_core.store.database import Refused
from soulbox_core.store.embedded import Embedded, open_embedded
from soulbox_core.store.executions import SurrealExecutions
from soulbox_core.store.migrations import migrate
from soulbox_core.store.opening import open_database
from soulbox_core.store.records import Execution, ExecutionQuery, UsageOfDay
from soulbox_core.store.replicas import Replicas
from soulbox_core.store.tally import Tally
from tests.loop import on_loop
from tests.store.conftest import Open
from tests.store.samples import CALLER, EVERYTHING, NOW, TODAY, content, execution
from tests.store.server import SurrealServer

ROOT = Path(__file__).parents[2]


def usage(**changes: object) -> UsageOfDay:
    usual: dict[str, object] = {
        "caller": CALLER,
        "day": TODAY,
        "runs": 1,
        "ok": 1,
        "cpu_seconds": 0.25,
        "wall_seconds": 0.5,
    }
    return UsageOfDay(**(usual | changes))  # type: ignore[arg-type]  # as the fields are


@on_loop
async def test_a_record_is_as_it_was_and_lists_are_without_content(opened: Open) -> None:
    record = execution(content=content(), status="wall_time_exceeded", signal="SIGKILL")
    async with opened() as stores:
        await stores.executions.add("b1", [record])
    async with opened() as stores:
        assert await stores.executions.execution(record.id) == record
        (listed,) = await stores.executions.executions(EVERYTHING)
        assert listed == execution(status="wall_time_exceeded", signal="SIGKILL")
        assert await stores.executions.execution("nothing") is None


@on_loop
async def test_usage_is_the_sum_of_a_day(opened: Open) -> None:
    async with opened() as stores:
        records = [
            execution(1),
            execution(2, status="failed"),
            execution(3, status="error", usage=None, charged_cpu_seconds=0.0),
            execution(4, created_at=NOW + 86_400.0),
            execution(5, caller="key:other"),
        ]
        await stores.executions.add("b1", records[:2])
        await stores.executions.add("b2", records[2:])
        assert await stores.executions.usage(CALLER, TODAY, TODAY) == (
            usage(runs=3, ok=1, cpu_seconds=0.5, wall_seconds=1.0),
        )
        days = await stores.executions.usage(CALLER, "2026-12-31", "2027-01-16")
        assert [day.day for day in days] == [TODAY, "2027-01-16"]
        assert await stores.executions.usage(CALLER, "2027-01-16", "2027-01-16") == days[1:]
        assert await stores.executions.usage("key:0123456789", "2000-01-01", "2099-01-01") == ()


@on_loop
async def test_a_batch_counts_once(opened: Open) -> None:
    async with opened() as stores:
        await stores.executions.add("b1", [execution(1), execution(1)])
        await stores.executions.add("b1", [execution(1)])
        await stores.executions.add("b1", [execution(2)])
        assert await stores.executions.executions(EVERYTHING) == (execution(1),)
        assert await stores.executions.usage(CALLER, TODAY, TODAY) == (usage(),)


@on_loop
async def test_a_record_that_came_with_another_batch_counts_once_and_stops_none(
    opened: Open,
) -> None:
    async with opened() as stores:
        await stores.executions.add("b1", [execution(1)])
        await stores.executions.add("b2", [execution(1), execution(2)])
        await stores.executions.add("b3", [execution(2), execution(1)])
        assert await stores.executions.executions(EVERYTHING) == (execution(2), execution(1))
        found = await stores.executions.usage(CALLER, TODAY, TODAY)
        assert found == (usage(runs=2, ok=2, cpu_seconds=0.5, wall_seconds=1.0),)


@on_loop
async def test_a_batch_is_kept_whole_or_not_at_all(opened: Open) -> None:
    async with opened() as stores:
        records = [execution(number) for number in range(50)]
        last = execution(50, created_at=NOW + 86_400.0)
        await stores.executions.add("b0", [last])
        known = await stores.executions.usage(CALLER, TODAY, "2099-01-01")
        # The last one is there already, so that the engine refuses when it has all others in hand.
        pages = []
        adding = asyncio.ensure_future(stores.executions.add("b1", [*records, last]))
        while not adding.done():
            pages.append(len(await stores.executions.executions(EVERYTHING)))
        await adding
        assert known[0].runs == 1
        assert set(pages) <= {1, 51}
        assert len(await stores.executions.executions(EVERYTHING)) == 51
        used = await stores.executions.usage(CALLER, TODAY, "2099-01-01")
        assert [day.runs for day in used] == [50, 1]


@on_loop
async def test_a_caller_may_have_any_name(opened: Open) -> None:
    names = [
        "a",
        "a\x00",
        "a\x00b",
        "a\x01",
        "a\x010000",
        "",
        "é😀",
        "'; DELETE execution; '",
        "x" * 5000,
    ]
    async with opened() as stores:
        records = [execution(number, caller=name) for number, name in enumerate(names)]
        await stores.executions.add("b", records)
        for name, record in zip(names, records, strict=True):
            assert await stores.executions.executions(ExecutionQuery(caller=name)) == (record,)
            used = await stores.executions.usage(name, TODAY, TODAY)
            assert used == (usage(caller=name),)
        for name in ("a\ud800", "\x00"):
            assert await stores.executions.executions(ExecutionQuery(caller=name)) == ()
            assert await stores.executions.usage(name, TODAY, TODAY) == ()
            assert await stores.executions.execution(name) is None
            assert await stores.identities.key(name) is None
            assert await stores.identities.family(name) is None
            assert await stores.identities.family_of_session(name) is None
            query = ExecutionQuery(caller="a", before=name, language=name)
            assert await stores.executions.executions(query) == ()


@on_loop
async def test_an_empty_batch_is_nothing(opened: Open) -> None:
    async with opened() as stores:
        await stores.executions.add("b1", [])
        await stores.executions.add("b1", [execution()])
        assert await stores.executions.executions(EVERYTHING) == (execution(),)


@on_loop
async def test_a_batch_that_is_given_up_and_comes_again_counts_once(tmp_path: Path) -> None:
    async with open_database(Database(), tmp_path) as stores:
        for number in range(20):
            batch = [execution(number * 100 + each, caller=f"key:{number}") for each in range(50)]
            adding = asyncio.ensure_future(stores.executions.add(f"b{number}", batch))
            await asyncio.sleep(number * 0.001)
            adding.cancel()
            await stores.executions.add(f"b{number}", batch)
            (used,) = await stores.executions.usage(f"key:{number}", TODAY, TODAY)
            assert used.runs == len(batch)


@on_loop
async def test_a_write_that_is_given_up_at_the_end_is_whole(tmp_path: Path) -> None:
    async with open_database(Database(), tmp_path) as stores:
        records = [execution(number) for number in range(200)]
        adding = asyncio.ensure_future(stores.executions.add("b", records))
        await asyncio.sleep(0)
        adding.cancel()
    async with open_database(Database(), tmp_path) as stores:
        found = await stores.executions.executions(EVERYTHING)
        used = await stores.executions.usage(CALLER, TODAY, TODAY)
        assert sum(day.runs for day in used) == len(found)


@on_loop
async def test_many_batches_at_once_of_two_nodes_are_all_counted(
    shared_server: SurrealServer,
) -> None:
    settings = shared_server.settings(name="two-nodes")
    async with (
        open_database(settings, Path()) as one,
        open_database(settings, Path()) as other,
    ):
        nodes = [one, other]
        await asyncio.gather(
            *(
                nodes[number % 2].executions.add(
                    f"b{number}", [execution(number, node=f"main-{number % 2}")]
                )
                for number in range(40)
            )
        )
        (found,) = await one.executions.usage(CALLER, TODAY, TODAY)
        assert (found.runs, found.cpu_seconds) == (40, 10.0)
        assert len(await other.executions.executions(EVERYTHING)) == 40


@on_loop
async def test_a_batch_that_two_nodes_bring_counts_once(
    shared_server: SurrealServer,
) -> None:
    settings = shared_server.settings(name="one-batch")
    async with (
        open_database(settings, Path()) as one,
        open_database(settings, Path()) as other,
    ):
        records = [execution(number) for number in range(20)]
        await one.executions.add("b", records)
        await other.executions.add("b", records)
        (found,) = await one.executions.usage(CALLER, TODAY, TODAY)
        assert found.runs == 20


@on_loop
async def test_old_records_are_forgotten_piece_by_piece_and_usage_stays(opened: Open) -> None:
    async with opened() as stores:
        await stores.executions.add("b1", [execution(number) for number in range(2100)])
        assert await stores.executions.forget(NOW + 2090.0) == 2090
        left = await stores.executions.executions(EVERYTHING)
        assert [each.created_at for each in left] == [NOW + at for at in range(2099, 2089, -1)]
        assert await stores.executions.forget(NOW + 2090.0) == 0
        (found,) = await stores.executions.usage(CALLER, TODAY, TODAY)
        assert found.runs == 2100


@on_loop
async def test_batches_are_known_for_a_day(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        now = NOW
        executions = SurrealExecutions(database, Replicas(database, (), Tally()), clock=lambda: now)
        await executions.add("b1", [execution(1)])
        now += 23 * 3600.0
        await executions.add("b2", [execution(2)])
        assert await executions.forget(now) == 2
        await executions.add("b1", [execution(1)])
        assert await executions.executions(EVERYTHING) == ()
        now += 2 * 3600.0
        await executions.forget(now)
        known = await database.ask("SELECT VALUE id FROM batch")
        assert known == [RecordID("batch", "b2")]


@on_loop
@pytest.mark.parametrize(
    "damage",
    [
        "body = 'nonsense'",
        "body = NONE",
        "body = 5",
        "body = '{}'",
        "body = string::replace(body, '\"ok\"', '\"fine\"')",
        "body = string::replace(body, '\"python\"', '5')",
        "body = string::replace(body, 'id\":\"0', 'id\":\"1')",
        "body = string::replace(body, 'key:0123456789ab', 'key:another')",
    ],
)
async def test_a_damaged_record_is_never_served(tmp_path: Path, damage: str) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        tally = Tally()
        executions = SurrealExecutions(database, Replicas(database, (), tally))
        await executions.add("b1", [execution(1), execution(2), execution(3)])
        await database.write(f"UPDATE $id SET {damage}", id=RecordID("execution", execution(2).id))
        with pytest.raises(StoreFailed, match=execution(2).id):
            await executions.executions(EVERYTHING)
        assert tally.damaged == 1
        if "another" not in damage:  # that it is another caller's, the record itself cannot tell
            with pytest.raises(StoreFailed, match=f"{execution(2).id} is damaged"):
                await executions.execution(execution(2).id)
            assert tally.damaged == 2
        assert await executions.execution(execution(3).id) == execution(3)


@on_loop
@pytest.mark.parametrize("damage", ["runs = 'many'", "day = '2020-01-01'", "cpu_seconds = NONE"])
async def test_damaged_usage_is_never_served(tmp_path: Path, damage: str) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        tally = Tally()
        executions = SurrealExecutions(database, Replicas(database, (), tally))
        await executions.add("b1", [execution()])
        await database.write(f"UPDATE usage SET {damage}")
        with pytest.raises(StoreFailed, match="is damaged"):
            await executions.usage(CALLER, TODAY, TODAY)
        assert tally.damaged == 1


def test_after_a_kill_usage_is_that_of_the_records(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.filler", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        told = [int(process.stdout.readline()) for _ in range(10)]
        process.kill()
        told += [int(line) for line in process.stdout if line.endswith("\n")]
    records, used = asyncio.run(kept_in(tmp_path))
    assert used.runs == len(records)
    assert len(records) % 7 == 0  # whole batches
    assert len(records) >= 7 * len(told)


async def kept_in(directory: Path) -> tuple[tuple[Execution, ...], UsageOfDay]:
    async with open_database(Database(), directory) as stores:
        (used,) = await stores.executions.usage(CALLER, TODAY, TODAY)
        found: tuple[Execution, ...] = ()
        while page := await stores.executions.executions(
            ExecutionQuery(caller=CALLER, limit=1000, before=found[-1].id if found else None)
        ):
            found += page
        return found, used


@on_loop
async def test_a_refusal_that_is_none_of_these_is_told(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        await database.write("DEFINE FIELD caller ON execution TYPE int")
        executions = SurrealExecutions(database, Replicas(database, (), Tally()))
        with pytest.raises(Refused):
            await executions.add("b1", [execution()])
        assert isinstance(database, Embedded)
