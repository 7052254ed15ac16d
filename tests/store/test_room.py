"""How many records the database keeps that is part of the process."""

from pathlib import Path

import pytest

from soulbox_core.settings import Database
from soulbox_core.store.embedded import open_embedded
from soulbox_core.store.executions import SurrealExecutions
from soulbox_core.store.migrations import migrate
from soulbox_core.store.opening import open_database
from soulbox_core.store.records import ExecutionQuery
from soulbox_core.store.replicas import Replicas
from soulbox_core.store.room import Room, count
from soulbox_core.store.tally import Tally
from tests.loop import on_loop, until
from tests.store.samples import execution
from tests.store.server import SurrealServer

CALLER = "key:0123456789ab"
TODAY = "2027-01-15"
EVERYTHING = ExecutionQuery(caller=CALLER, limit=1000)


@on_loop
async def test_the_oldest_go_when_there_are_a_tenth_too_many_and_usage_stays(
    tmp_path: Path,
) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        tally = Tally()
        room = await Room.of(database, 500, tally)
        executions = SurrealExecutions(database, Replicas(database, (), tally), room=room)
        await executions.add("b1", [execution(number) for number in reversed(range(300, 550))])
        await executions.add("b2", [execution(number) for number in range(300)])
        assert await room.make() == 0
        await executions.add("b3", [execution(550)])
        assert await room.make() == 51
        left = await executions.executions(EVERYTHING)
        assert [each.id for each in left] == [execution(number).id for number in range(550, 50, -1)]
        assert await room.make() == 0
        assert tally.dropped_for_room == 51
        (used,) = await executions.usage(CALLER, TODAY, TODAY)
        assert used.runs == 551


@on_loop
async def test_a_batch_whose_records_went_for_room_counts_once(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        room = await Room.of(database, 10, Tally())
        executions = SurrealExecutions(database, Replicas(database, (), Tally()), room=room)
        batch = [execution(number) for number in range(20)]
        await executions.add("b1", batch)
        assert await room.make() == 10
        await executions.add("b1", batch)
        assert len(await executions.executions(EVERYTHING)) == 10
        (used,) = await executions.usage(CALLER, TODAY, TODAY)
        assert used.runs == 20


@on_loop
async def test_the_newest_batches_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulbox_core.store.room._BATCHES", 3)
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        room = await Room.of(database, 100, Tally())
        now = 0.0
        executions = SurrealExecutions(
            database, Replicas(database, (), Tally()), clock=lambda: now, room=room
        )
        for number, name in enumerate("gfedcba"):
            now = 10.0 + number
            if number == 6:
                await room.make()
                assert await count(database, "batch") == 6
            await executions.add(name, [execution(number)])
        await room.make()
        known = await database.ask("SELECT VALUE id FROM batch")
        assert [each.id for each in known] == ["a", "b", "c"]
        assert await count(database, "execution") == 7


@on_loop
async def test_a_batch_that_may_come_again_is_known_however_many_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulbox_core.store.room._BATCHES", 3)
    now = 1000.0
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        room = Room(database, 100, Tally(), 0, 0, clock=lambda: now)
        executions = SurrealExecutions(
            database, Replicas(database, (), Tally()), clock=lambda: now, room=room
        )
        for number, name in enumerate("gfedcba"):
            await executions.add(name, [execution(number)])
        now += 119.0
        await room.make()
        assert await count(database, "batch") == 7
        now += 2.0
        await room.make()
        assert await count(database, "batch") == 3


@on_loop
async def test_what_somebody_else_dropped_takes_no_room(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        room = await Room.of(database, 100, Tally())
        executions = SurrealExecutions(database, Replicas(database, (), Tally()), room=room)
        await executions.add("b1", [execution(number) for number in range(100)])
        assert await executions.forget(execution(50).created_at) == 50
        await executions.add("b2", [execution(number) for number in range(100, 160)])
        assert await room.make() == 0
        assert len(await executions.executions(EVERYTHING)) == 110


@on_loop
async def test_a_count_that_went_wrong_is_mended(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        room = await Room.of(database, 5, Tally())
        room.added(100)
        assert await room.make() == 0
        executions = SurrealExecutions(database, Replicas(database, (), Tally()), room=room)
        await executions.add("b1", [execution(number) for number in range(7)])
        assert await room.make() == 2


@on_loop
async def test_a_database_is_counted_when_it_is_opened(tmp_path: Path) -> None:
    async with open_database(Database(), tmp_path) as stores:
        await stores.executions.add("b1", [execution(number) for number in range(30)])
    async with open_database(Database(), tmp_path, most=12) as stores:
        await until(lambda: stores.tally.dropped_for_room)
        assert len(await stores.executions.executions(EVERYTHING)) == 12
        assert stores.tally.dropped_for_room == 18


@on_loop
async def test_that_of_a_server_keeps_all(shared_server: SurrealServer) -> None:
    settings = shared_server.settings(name="room")
    async with open_database(settings, Path(), most=1) as stores:
        await stores.executions.add("b1", [execution(number) for number in range(30)])
    async with open_database(settings, Path(), most=1) as stores:
        assert len(await stores.executions.executions(EVERYTHING)) == 30
