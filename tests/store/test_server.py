"""The database on a server that is killed, hangs and lies."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from soulbox_core.errors import SettingsError, StoreError, StoreFailed
from soulbox_core.settings import Database
from soulbox_core.store.opening import open_database
from soulbox_core.store.port import Health
from soulbox_core.store.records import ExecutionQuery
from soulbox_core.store.server import Server
from tests.loop import on_loop
from tests.store.rpc import APP
from tests.store.samples import api_key, execution, family
from tests.store.server import SurrealServer, surreal_server

HERE = Path()
EVERYTHING = ExecutionQuery(caller="key:0123456789ab", limit=1000)
DAYS = ("2000-01-01", "2099-01-01")
Ask = Callable[[], Awaitable[object]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SurrealServer]:
    with surreal_server(tmp_path / "surreal") as server:
        yield server


async def soon(ask: Ask) -> object:
    """What it answers when the database is there again."""
    while True:
        try:
            return await ask()
        except StoreFailed:
            await asyncio.sleep(0.05)


@on_loop
async def test_it_is_there_again_without_a_restart(server: SurrealServer) -> None:
    async with open_database(server.settings(), HERE) as stores:
        assert not stores.embedded
        await stores.identities.put_key(api_key())
        await stores.executions.add("b1", [execution()])
        for _ in range(2):
            server.kill()
            for _ in range(3):
                with pytest.raises(StoreFailed):
                    await stores.identities.key(api_key().id)
            assert stores.health() == Health(primary=False)
            server.start()
            assert await soon(lambda: stores.identities.key(api_key().id)) == api_key()
            assert stores.health() == Health(primary=True)
        await stores.executions.add("b1", [execution()])
        (used,) = await stores.executions.usage(EVERYTHING.caller, *DAYS)
        assert used.runs == 1


@on_loop
async def test_all_who_wait_are_told_when_it_dies(server: SurrealServer) -> None:
    async with open_database(server.settings(), HERE) as stores:
        server.pause()
        asked = [asyncio.ensure_future(stores.identities.keys()) for _ in range(20)]
        written = asyncio.ensure_future(stores.identities.put_key(api_key()))
        await asyncio.sleep(0.1)
        server.kill()
        outcomes = await asyncio.gather(*asked, written, return_exceptions=True)
        assert all(isinstance(each, StoreFailed) for each in outcomes)


@on_loop
async def test_one_that_hangs_is_not_waited_for_for_ever(server: SurrealServer) -> None:
    settings = msgspec.structs.replace(server.settings(), seconds=3.0)
    async with open_database(settings, HERE) as stores:
        server.pause()
        with pytest.raises(StoreFailed, match="does not answer"):
            await stores.identities.keys()
        assert stores.health() == Health(primary=False)
        server.resume()
        assert await soon(stores.identities.keys) == ()


@on_loop
async def test_of_many_who_find_it_gone_one_connects(
    server: SurrealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0
    connect = Server._connect

    async def counted(self: Server) -> None:
        nonlocal attempts
        attempts += 1
        await connect(self)

    monkeypatch.setattr(Server, "_connect", counted)
    async with open_database(server.settings(), HERE) as stores:
        assert attempts == 1
        server.kill()
        for _ in range(3):
            outcomes = await asyncio.gather(
                *(stores.identities.keys() for _ in range(50)), return_exceptions=True
            )
            assert all(isinstance(each, StoreFailed) for each in outcomes)
        assert attempts <= 3  # one attempt a second, whoever asks


@on_loop
async def test_who_gives_up_waiting_disturbs_nobody(server: SurrealServer) -> None:
    async with open_database(server.settings(), HERE) as stores:
        await stores.identities.put_key(api_key())
        server.pause()
        given_up, patient = (asyncio.ensure_future(stores.identities.keys()) for _ in range(2))
        await asyncio.sleep(0.05)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        server.resume()
        assert await patient == (api_key(),)


@on_loop
@pytest.mark.parametrize("mode", ["wrong", "noise"])
async def test_an_answer_that_is_none_is_a_failure(server: SurrealServer, mode: str) -> None:
    async with open_database(server.settings(), HERE) as stores:
        await stores.identities.put_key(api_key())
        await stores.identities.add_family(family())
        server.spoil(mode)
        asks: tuple[Ask, ...] = (
            stores.identities.keys,
            lambda: stores.identities.key(api_key().id),
            lambda: stores.identities.rotate("f1", family().digest, "new"),
            lambda: stores.executions.executions(EVERYTHING),
            lambda: stores.executions.add("b", [execution()]),
            lambda: stores.executions.forget(0.0),
        )
        for ask in asks:
            with pytest.raises(StoreFailed):
                await ask()
        server.spoil("")
        assert await soon(stores.identities.keys) == (api_key(),)


@on_loop
async def test_garbled_records_are_never_served(server: SurrealServer) -> None:
    async with open_database(server.settings(), HERE) as stores:
        await stores.identities.put_key(api_key())
        await stores.executions.add("b", [execution()])
        server.spoil("garble")
        asks: tuple[Ask, ...] = (
            lambda: stores.identities.key(api_key().id),
            lambda: stores.executions.executions(EVERYTHING),
            lambda: stores.executions.execution(execution().id),
            lambda: stores.executions.usage(EVERYTHING.caller, *DAYS),
        )
        for number, ask in enumerate(asks):
            with pytest.raises(StoreFailed, match="is damaged"):
                await ask()
            assert stores.tally.damaged == number + 1
        server.spoil("")
        assert await stores.executions.execution(execution().id) == execution()


@on_loop
async def test_a_batch_whose_answer_was_lost_counts_once(server: SurrealServer) -> None:
    async with open_database(server.settings(), HERE) as stores:
        server.spoil("drop")
        with pytest.raises(StoreFailed):
            await stores.executions.add("b1", [execution()])
        server.spoil("")
        await soon(lambda: stores.executions.add("b1", [execution()]))
        (used,) = await stores.executions.usage(EVERYTHING.caller, *DAYS)
        assert used.runs == 1


@on_loop
async def test_nodes_that_start_at_once_bring_it_up_to_date_together(
    server: SurrealServer,
) -> None:
    async def node(number: int) -> None:
        async with open_database(server.settings(), HERE) as stores:
            await stores.identities.put_key(api_key(id=f"{number:012}"))

    await asyncio.gather(*(node(number) for number in range(4)))
    async with open_database(server.settings(), HERE) as stores:
        assert len(await stores.identities.keys()) == 4


@on_loop
async def test_a_user_of_the_database_alone_will_do(server: SurrealServer) -> None:
    user, password = APP
    settings = msgspec.structs.replace(server.settings(), user=user, password=password)
    async with open_database(settings, HERE) as stores:
        assert await stores.identities.keys() == ()


@on_loop
async def test_who_is_not_known_does_not_start(server: SurrealServer) -> None:
    for changes in ({"password": "wrong"}, {"user": ""}):
        settings = msgspec.structs.replace(server.settings(), **changes)
        with pytest.raises(StoreError):
            async with open_database(settings, HERE):
                pass


@on_loop
async def test_a_server_that_is_not_there_says_what_to_do(server: SurrealServer) -> None:
    server.kill()
    with pytest.raises(StoreError, match=r"cannot be reached.*start it, or mend database.url"):
        async with open_database(server.settings(), HERE):
            pass


@on_loop
@pytest.mark.parametrize("url", ["http://db/rpc", "mem://", "surrealkv:///tmp/x", "db:8000"])
async def test_what_is_no_address_is_no_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="is no address of a SurrealDB server"):
        async with open_database(Database(url=url), HERE):
            pass
    with pytest.raises(SettingsError, match="is no address of a SurrealDB server"):
        async with open_database(Database(url="ws://127.0.0.1:1/rpc", replicas=(url,)), HERE):
            pass


@on_loop
async def test_a_password_in_an_address_is_not_told() -> None:
    with pytest.raises(StoreError) as told:
        async with open_database(Database(url="ws://u:secret@127.0.0.1:1/rpc"), HERE):
            pass
    assert "secret" not in str(told.value)
