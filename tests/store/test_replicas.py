"""Reading from two replicas and a primary, which die and lie one after the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from soulbox_core.errors import StoreFailed
from soulbox_core.store.executions import SurrealExecutions
from soulbox_core.store.migrations import migrate
from soulbox_core.store.opening import Stores, open_database
from soulbox_core.store.port import Health
from soulbox_core.store.records import ExecutionQuery
from soulbox_core.store.replicas import Replicas
from soulbox_core.store.server import Server
from soulbox_core.store.tally import Tally
from tests.loop import on_loop
from tests.store.samples import api_key, execution
from tests.store.server import SurrealServer, surreal_server
from tests.store.test_server import soon

HERE = Path()
EVERYTHING = ExecutionQuery(caller="key:0123456789ab", limit=1000)
RECORDS = (execution(2), execution(1))

Servers = list[SurrealServer]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """A primary and two replicas."""
    with (
        surreal_server(tmp_path / "primary") as primary,
        surreal_server(tmp_path / "one") as one,
        surreal_server(tmp_path / "two") as two,
    ):
        yield [primary, one, two]


@asynccontextmanager
async def fed(servers: Servers) -> AsyncIterator[Stores]:
    """A node on a primary whose replicas have what it has."""
    for server in servers:
        async with open_database(server.settings(), HERE) as stores:
            await stores.identities.put_key(api_key())
            await stores.executions.add("b", RECORDS)
    async with open_database(servers[0].settings(*servers[1:]), HERE) as stores:
        yield stores


@on_loop
async def test_replicas_are_read_in_turn(servers: Servers) -> None:
    async with fed(servers) as stores:
        for server, records in zip(servers[1:], ([execution(3)], [execution(4)]), strict=True):
            async with open_database(server.settings(), HERE) as replica:
                await replica.executions.add("b3", records)
        found = [await stores.executions.executions(EVERYTHING) for _ in range(4)]
        assert [len(each) for each in found] == [3, 3, 3, 3]
        assert found[0] == found[2] != found[1] == found[3]
        assert (stores.tally.replica_reads, stores.tally.primary_reads) == (4, 0)
        assert stores.health() == Health(primary=True, replicas=(True, True))


@on_loop
async def test_keys_are_read_from_the_primary_and_writes_go_there(servers: Servers) -> None:
    async with fed(servers) as stores:
        await stores.identities.put_key(api_key(revoked_at=1.0))
        await stores.executions.add("b3", [execution(3)])
        for _ in range(4):
            assert await stores.identities.key(api_key().id) == api_key(revoked_at=1.0)
            assert await stores.executions.executions(EVERYTHING) == RECORDS
        # A replica does not have it yet: the primary has.
        assert await stores.executions.execution(execution(3).id) == execution(3)


@on_loop
async def test_a_dead_replica_is_not_missed(servers: Servers) -> None:
    async with fed(servers) as stores:
        servers[1].kill()
        for _ in range(6):
            assert await stores.executions.executions(EVERYTHING) == RECORDS
        assert stores.tally.replica_failures == 1  # it is left alone
        assert (stores.tally.replica_reads, stores.tally.primary_reads) == (6, 0)
        assert stores.health().replicas in ((True, False), (False, True))
        servers[2].kill()
        for _ in range(6):
            assert await stores.executions.executions(EVERYTHING) == RECORDS
        assert stores.tally.primary_reads >= 5


@on_loop
async def test_without_its_primary_a_node_goes_on_reading(servers: Servers) -> None:
    async with fed(servers) as stores:
        servers[0].kill()
        for _ in range(4):
            assert await stores.executions.executions(EVERYTHING) == RECORDS
            assert await stores.executions.execution(execution(1).id) == execution(1)
            with pytest.raises(StoreFailed):
                await stores.identities.key(api_key().id)
            with pytest.raises(StoreFailed):
                await stores.executions.add("b3", [execution(3)])
        with pytest.raises(StoreFailed):  # who knows, and not: there is none
            await stores.executions.execution(execution(3).id)
        assert stores.health() == Health(primary=False, replicas=(True, True))
        servers[0].start()
        assert await soon(lambda: stores.identities.key(api_key().id)) == api_key()
        await stores.executions.add("b3", [execution(3)])
        assert await stores.executions.execution(execution(3).id) == execution(3)


@on_loop
async def test_a_node_starts_without_its_replicas(servers: Servers) -> None:
    servers[1].kill()
    async with fed([servers[0]]):
        pass
    async with open_database(servers[0].settings(servers[1]), HERE) as stores:
        assert stores.health() == Health(primary=True, replicas=(False,))
        assert await stores.executions.executions(EVERYTHING) == RECORDS
        assert stores.tally.primary_reads == 1


@on_loop
@pytest.mark.parametrize("mode", ["garble", "wrong", "noise"])
async def test_what_a_replica_garbles_is_never_served(servers: Servers, mode: str) -> None:
    async with fed(servers) as stores:
        servers[1].spoil(mode)
        for _ in range(6):
            assert await stores.executions.executions(EVERYTHING) == RECORDS
        assert stores.tally.replica_failures == 1
        assert stores.tally.damaged == (mode != "noise")


@on_loop
async def test_a_replica_that_failed_has_its_turn_again_later(servers: Servers) -> None:
    primary, one, _ = servers
    settings = primary.settings(one)
    replica, home = Server(one.url, settings), Server(primary.url, settings)
    now, tally = 0.0, Tally()
    try:
        for server in (home, replica):
            await migrate(server)
        executions = SurrealExecutions(home, Replicas(home, (replica,), tally, lambda: now))
        await executions.add("b", RECORDS)
        one.spoil("wrong")
        assert await executions.executions(EVERYTHING) == RECORDS
        one.spoil("")
        now = 1.9
        assert await executions.executions(EVERYTHING) == RECORDS
        assert (tally.primary_reads, tally.replica_failures, tally.damaged) == (2, 1, 1)
        now = 2.0
        assert await executions.executions(EVERYTHING) == ()  # it has nothing, and says so
        assert tally.replica_reads == 1
    finally:
        await asyncio.gather(home.close(), replica.close())
