"""Keys and families, in a database of each kind."""

import asyncio
from pathlib import Path

import pytest

from soulbox_core.errors import StoreFailed
from soulbox_core.store.identities import Identities
from soulbox_core.store.migrations import migrate
from soulbox_core.store.server import Server
from soulbox_core.store.tally import Tally
from tests.loop import on_loop
from tests.store.conftest import Open
from tests.store.samples import NOW, api_key, family
from tests.store.server import surreal_server


@on_loop
async def test_what_was_kept_is_there_the_next_time(opened: Open) -> None:
    key = api_key(expires_at=NOW + 5.0, scopes=("execute", "admin"))
    async with opened() as stores:
        store = stores.identities
        assert await store.keys() == ()
        await store.put_key(key)
        await store.put_key(api_key(id="other", created_at=NOW - 1.0))
        await store.add_family(family())
    async with opened() as stores:
        store = stores.identities
        assert await store.keys() == (api_key(id="other", created_at=NOW - 1.0), key)
        assert await store.family("f1") == await store.family_of_session("s1") == family()


@on_loop
async def test_a_key_takes_the_place_of_its_former_self(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        await store.put_key(api_key(expires_at=NOW))
        await store.put_key(api_key(revoked_at=NOW))
        assert await store.keys() == (api_key(revoked_at=NOW),)


@on_loop
async def test_of_many_first_keys_at_once_one_is_kept(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        kept = await asyncio.gather(
            *(store.put_first_key(api_key(id=f"k{number}")) for number in range(10))
        )
        assert sorted(kept) == [False] * 9 + [True]
        (key,) = await store.keys()
        assert kept[int(key.id[1:])]


@on_loop
async def test_of_nodes_that_make_a_first_key_at_one_time_one_does(tmp_path: Path) -> None:
    """The engine lets two through now and then, so it is tried often."""
    with surreal_server(tmp_path) as server:
        nodes = [Server(server.url, server.settings()) for _ in range(3)]
        try:
            await migrate(nodes[0])
            stores = [Identities(node, Tally()) for node in nodes]
            for _ in range(200):
                await nodes[0].write("DELETE api_key; DELETE meta:first_key")
                kept = await asyncio.gather(
                    *(each.put_first_key(api_key(id=f"k{n}")) for n, each in enumerate(stores))
                )
                (key,) = await stores[0].keys()
                assert [n for n, is_kept in enumerate(kept) if is_kept] == [int(key.id[1:])]
        finally:
            await asyncio.gather(*(node.close() for node in nodes))


@on_loop
async def test_a_key_that_was_revoked_leaves_no_room_for_a_first_one(opened: Open) -> None:
    async with opened() as stores:
        await stores.identities.put_key(api_key(revoked_at=NOW))
        assert not await stores.identities.put_first_key(api_key(id="first"))
        assert await stores.identities.keys() == (api_key(revoked_at=NOW),)


@on_loop
async def test_what_is_not_there_is_not_found(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        assert await store.family("nobody") is None
        assert await store.family_of_session("nothing") is None
        await store.revoke_family("nobody", NOW)
        assert await store.family("nobody") is None


@on_loop
async def test_names_are_values_and_never_a_query(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        await store.put_key(api_key(name="x'; DELETE api_key; --", policy="$content"))
        await store.family("f1; DELETE api_key")
        (key,) = await store.keys()
        assert (key.name, key.policy) == ("x'; DELETE api_key; --", "$content")


@on_loop
async def test_of_many_who_rotate_at_once_one_wins(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        await store.add_family(family())
        won = await asyncio.gather(
            *(store.rotate("f1", family().digest, f"new{number}") for number in range(20))
        )
        assert sum(won) == 1
        found = await store.family("f1")
        assert found is not None
        assert found.digest == f"new{won.index(True)}"


@on_loop
async def test_a_revoked_family_is_not_rotated(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        await store.add_family(family())
        await store.revoke_family("f1", NOW + 1.0)
        await store.revoke_family("f1", NOW + 9.0)
        assert not await store.rotate("f1", family().digest, "new")
        assert await store.family("f1") == family(revoked_at=NOW + 1.0)


@on_loop
async def test_the_families_of_a_key(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        await store.add_family(family(created_at=NOW + 2.0))
        await store.add_family(family(id="f2", session="s2"))
        await store.add_family(family(id="f3", session="s3", key_id="other"))
        await store.add_family(family(id="f4", session="s4", revoked_at=NOW))
        found = await store.families_of("0123456789ab")
        assert [each.id for each in found] == ["f2", "f1"]


@on_loop
async def test_expired_families_are_forgotten(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        await store.add_family(family())
        await store.add_family(family(id="f2", session="s2", expires_at=NOW + 300.0))
        await store.forget_families(NOW + 200.0)
        assert await store.family("f1") is None
        assert await store.family("f2") is not None


@on_loop
async def test_a_session_is_of_one_family(opened: Open) -> None:
    async with opened() as stores:
        store = stores.identities
        await store.add_family(family())
        with pytest.raises(StoreFailed):
            await store.add_family(family(id="f2"))
