"""Everything out of one database and into another, of each kind."""

import json
from pathlib import Path

import pytest

from soulbox_core.errors import InvalidRequest, StoreFailed
from soulbox_core.identity.opening import open_identity
from soulbox_core.settings import Auth, Database
from soulbox_core.store.dump import SurrealDump
from soulbox_core.store.embedded import open_embedded
from soulbox_core.store.migrations import migrate
from soulbox_core.store.opening import Stores, open_database
from soulbox_core.store.records import ExecutionQuery
from tests.loop import on_loop
from tests.store.conftest import Open
from tests.store.samples import NOW, api_key, content, execution, family

CALLER = "key:0123456789ab"
DAYS = ("2000-01-01", "2099-01-01")


async def lines_of(stores: Stores) -> list[str]:
    """As in a file."""
    return [json.dumps(each) async for each in stores.dump.rows()]


async def restored(stores: Stores, lines: list[str]) -> None:
    for line in lines:
        table, row = json.loads(line)
        await stores.dump.put(table, [row])


@on_loop
async def test_a_restored_database_is_equal(opened: Open, tmp_path: Path) -> None:
    async with opened() as stores, open_database(Database(), tmp_path / "other") as other:
        await stores.identities.put_key(api_key())
        await stores.identities.put_key(api_key(id="revoked", revoked_at=NOW))
        await stores.identities.add_family(family())
        records = [execution(number) for number in range(5)]
        records += [execution(9, content=content(), caller="key:other", usage=None)]
        await stores.executions.add("b1", records)
        await stores.executions.add("b2", [execution(6, node="main-2")])
        lines = await lines_of(stores)
        await restored(other, lines)
        assert await lines_of(other) == lines
        assert len(lines) == 2 + 1 + 2 + 3 + 7
        assert await other.identities.keys() == await stores.identities.keys()
        assert await other.identities.family_of_session("s1") == family()
        assert await other.executions.execution(execution(9).id) == records[-1]
        query = ExecutionQuery(caller=CALLER)
        assert await other.executions.executions(query) == await stores.executions.executions(query)
        (used,) = await other.executions.usage(CALLER, *DAYS)
        assert (used,) == await stores.executions.usage(CALLER, *DAYS)
        await other.executions.add("b1", [execution(1000)])  # is known, as are the rest
        await other.executions.add("b3", [execution(6)])
        assert await other.executions.usage(CALLER, *DAYS) == (used,)


@on_loop
async def test_keys_are_still_good(tmp_path: Path) -> None:
    policies = frozenset(("default",))
    async with open_database(Database(), tmp_path / "one") as stores:
        identity = await open_identity(Auth(), stores.identities, tmp_path, "urn:x", policies)
        key, text = await identity.create_key("mine", ("execute",), "default", None)
        lines = await lines_of(stores)
    async with open_database(Database(), tmp_path / "two") as stores:
        await restored(stores, lines)
        identity = await open_identity(Auth(), stores.identities, tmp_path, "urn:x", policies)
        assert (await identity.authenticator.caller(text)).id == f"key:{key.id}"


@on_loop
async def test_more_than_fit_into_a_piece(opened: Open) -> None:
    async with opened() as stores:
        records = [execution(number) for number in range(2500)]
        await stores.executions.add("b", records)
        found = [row["id"] async for table, row in stores.dump.rows() if table == "execution"]
        assert found == [each.id for each in records]


@on_loop
async def test_what_is_put_takes_the_place_of_what_was(opened: Open) -> None:
    async with opened() as stores:
        await stores.identities.put_key(api_key(name="old"))
        rows = [row async for _, row in stores.dump.rows()]
        await stores.identities.put_key(api_key(name="new", expires_at=NOW))
        await stores.dump.put("api_key", rows)
        assert await stores.identities.keys() == (api_key(name="old"),)


@on_loop
@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        ("meta", {}, "no table 'meta'"),
        ("api_key; DELETE api_key", {}, "no table"),
        ("api_key", {"digest": None}, "is none: Expected `str`"),
        ("api_key", {"id": 5}, "is none: Expected `str`"),
        ("api_key", {"admin": True}, "has \\['admin'\\], which is not known"),
        ("execution", {}, "is not known here"),
        ("usage", {}, "is not known here"),
    ],
)
async def test_what_the_table_does_not_hold_is_refused(
    tmp_path: Path, table: str, changes: dict[str, object], message: str
) -> None:
    async with open_database(Database(), tmp_path) as stores:
        await stores.identities.put_key(api_key())
        (good,) = [row async for _, row in stores.dump.rows()]
        with pytest.raises(InvalidRequest, match=message):
            await stores.dump.put(table, [good, good | changes])
        assert await stores.identities.keys() == (api_key(),)


@on_loop
async def test_usage_under_another_id_is_refused(tmp_path: Path) -> None:
    async with open_database(Database(), tmp_path) as stores:
        await stores.executions.add("b", [execution()])
        rows = {table: row async for table, row in stores.dump.rows()}
        for id in (None, [CALLER, "2000-01-01", "main-1"]):
            with pytest.raises(InvalidRequest, match="the id of another one"):
                await stores.dump.put("usage", [rows["usage"] | {"id": id}])


@on_loop
async def test_a_damaged_record_ends_a_dump(tmp_path: Path) -> None:
    async with open_embedded(tmp_path) as database:
        await migrate(database)
        await database.write("CREATE api_key:x SET digest = 5")
        with pytest.raises(StoreFailed, match="ApiKey x is damaged"):
            async for _ in SurrealDump(database).rows():
                pass
