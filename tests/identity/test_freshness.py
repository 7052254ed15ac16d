"""What a node knows of keys and sessions that other nodes make and revoke."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec
import pytest

from soulbox_core.errors import Overloaded, StoreFailed, Unauthenticated
from soulbox_core.identity.freshness import AGAIN_SECONDS, MISSING_SECONDS, PATIENCE_SECONDS
from soulbox_core.identity.identity import Grant
from soulbox_core.identity.keys import _GUESSES
from soulbox_core.store.opening import open_database
from tests.identity.house import NOW, Clock, House
from tests.identity.shared import FRESH, GRACE, SharedStore, node
from tests.loop import on_loop, settle
from tests.store.server import surreal_server


class Nodes:
    """Two of them."""

    def __init__(self, store: SharedStore, clock: Clock, here: House, there: House) -> None:
        self.store = store
        self.clock = clock
        self.here = here
        self.there = there

    async def is_good(self, credential: str) -> bool:
        """Whether it is let in here."""
        try:
            await self.here.caller(credential)
        except Unauthenticated:
            return False
        return True

    async def is_told(self, credential: str) -> bool:
        """Whether anybody can tell."""
        try:
            await self.is_good(credential)
        except (StoreFailed, Overloaded):
            return False
        return True


def on_two_nodes(
    test: Callable[[Nodes], Coroutine[Any, Any, None]],
) -> Callable[[Path], None]:
    """Give a test two nodes."""

    async def set_up(tmp_path: Path) -> None:
        store, clock = SharedStore(), Clock()
        here = await node(store, tmp_path / "here", clock)
        there = await node(store, tmp_path / "there", clock)
        await test(Nodes(store, clock, here, there))

    named = wraps(test)(set_up)
    del named.__wrapped__  # pytest would ask it for its parameters
    return on_loop(named)


def made_up(number: int) -> str:
    return f"sbx_{number:012x}_{'a' * 43}"


@on_two_nodes
async def test_a_new_key_of_another_node_is_good_at_once(nodes: Nodes) -> None:
    _, text = await nodes.there.key()
    for _ in range(3):
        assert await nodes.is_good(text)
    assert nodes.store.lookups() == 1


@on_two_nodes
async def test_a_key_that_was_revoked_elsewhere_is_refused_when_it_is_not_fresh(
    nodes: Nodes,
) -> None:
    id, text = await nodes.here.key()
    await nodes.there.identity.revoke_key(id)
    nodes.store.asked.clear()
    nodes.clock.now = NOW + FRESH - 0.1
    assert await nodes.is_good(text)
    assert nodes.store.lookups() == 0
    nodes.clock.now = NOW + FRESH
    for _ in range(3):
        assert not await nodes.is_good(text)
        nodes.clock.now += FRESH
    assert nodes.store.lookups() == 1  # what was revoked is so for ever


@on_two_nodes
async def test_a_key_that_is_gone_is_refused_when_it_is_not_fresh(nodes: Nodes) -> None:
    id, text = await nodes.here.key()
    del nodes.store.rows[id]
    nodes.clock.now += FRESH
    assert not await nodes.is_good(text)
    nodes.store.down = True
    nodes.clock.now += MISSING_SECONDS
    assert not await nodes.is_told(text)


@on_two_nodes
async def test_a_key_is_read_again_once_in_a_while(nodes: Nodes) -> None:
    _, text = await nodes.here.key()
    for _ in range(10):
        nodes.clock.now += FRESH / 2
        for _ in range(5):
            assert await nodes.is_good(text)
    assert nodes.store.lookups() == 5


@on_two_nodes
async def test_while_the_database_is_down_what_is_known_is_good_for_a_while(nodes: Nodes) -> None:
    _, text = await nodes.here.key()
    nodes.store.down = True
    for after in (0.0, FRESH, GRACE / 2, GRACE - 0.1):
        nodes.clock.now = NOW + after
        assert await nodes.is_good(text)
    nodes.clock.now = NOW + GRACE
    for _ in range(3):
        assert not await nodes.is_told(text)
        nodes.clock.now += AGAIN_SECONDS
    nodes.store.down = False
    assert await nodes.is_good(text)


@on_two_nodes
async def test_a_database_that_hangs_is_hardly_waited_for_by_who_is_known(nodes: Nodes) -> None:
    _, text = await nodes.here.key()
    nodes.store.open.clear()
    nodes.clock.now += FRESH
    before = nodes.store.lookups()
    async with asyncio.timeout(20 * PATIENCE_SECONDS):
        for _ in range(5):
            assert await nodes.is_good(text)
    assert nodes.store.lookups() == before + 1
    nodes.store.open.set()
    nodes.clock.now += AGAIN_SECONDS
    assert await nodes.is_good(text)
    assert nodes.store.lookups() == before + 1, "what was asked was answered in the end"


@on_two_nodes
async def test_a_database_that_is_slow_is_heard_although_nobody_waited_so_long(
    nodes: Nodes,
) -> None:
    id, text = await nodes.here.key()
    token = (await nodes.here.identity.grant(text, None)).access_token
    for credential in (text, token):
        assert await nodes.is_good(credential)
    await nodes.there.identity.revoke_key(id)
    nodes.clock.now += FRESH
    nodes.store.open.clear()
    assert await nodes.is_good(text), "nobody has told this node yet"
    nodes.store.open.set()
    await settle()
    for credential in (text, token):
        assert not await nodes.is_good(credential)


@on_two_nodes
async def test_a_wrong_secret_is_refused_in_grace_too(nodes: Nodes) -> None:
    _, text = await nodes.here.key()
    nodes.store.down = True
    nodes.clock.now += FRESH
    assert not await nodes.is_good(text[:-1] + ("a" if text[-1] != "a" else "b"))


@on_two_nodes
async def test_a_database_that_is_down_is_left_alone_for_a_moment(nodes: Nodes) -> None:
    _, text = await nodes.here.key()
    nodes.store.down = True
    nodes.clock.now += FRESH
    for _ in range(10):
        assert await nodes.is_good(text)
    assert nodes.store.lookups() == 1
    nodes.clock.now += AGAIN_SECONDS
    assert await nodes.is_good(text)
    assert nodes.store.lookups() == 2
    nodes.clock.now = NOW + GRACE
    assert not await nodes.is_told(text)
    assert not await nodes.is_told(text)
    assert nodes.store.lookups() == 3


@on_two_nodes
async def test_while_the_database_is_down_nobody_can_tell_of_what_is_not_known(
    nodes: Nodes,
) -> None:
    _, text = await nodes.there.key()
    nodes.store.down = True
    assert not await nodes.is_told(text)
    assert not await nodes.is_told(made_up(1))
    assert not await nodes.is_good("sbx_nothing")  # which no database need be asked for
    nodes.store.down = False
    assert await nodes.is_good(text)


@on_two_nodes
async def test_a_guessed_id_is_not_looked_up_again_at_once(nodes: Nodes) -> None:
    for _ in range(5):
        assert not await nodes.is_good(made_up(1))
    assert nodes.store.lookups() == 1
    nodes.clock.now += MISSING_SECONDS
    assert not await nodes.is_good(made_up(1))
    assert nodes.store.lookups() == 2


@on_two_nodes
async def test_a_key_is_found_that_was_asked_for_before_it_was_made(nodes: Nodes) -> None:
    id, text = await nodes.there.key()
    row = nodes.store.rows.pop(id)
    assert not await nodes.is_good(text)
    nodes.store.rows[id] = row
    nodes.clock.now += MISSING_SECONDS
    assert await nodes.is_good(text)


@on_two_nodes
async def test_guessing_ids_does_not_wear_the_database_out(nodes: Nodes) -> None:
    _, text = await nodes.here.key()
    _, new = await nodes.there.key()
    guesses = [await nodes.is_told(made_up(number)) for number in range(_GUESSES + 50)]
    assert sum(guesses) == nodes.store.lookups() == _GUESSES
    assert await nodes.is_good(text)
    with pytest.raises(Overloaded):
        await nodes.here.caller(new)
    nodes.clock.now += 1.0
    assert await nodes.is_good(new)


@on_two_nodes
async def test_what_is_remembered_of_guesses_is_bounded(nodes: Nodes) -> None:
    for number in range(25_000):
        if number % _GUESSES == 0:
            nodes.clock.now += 1.0
        assert not await nodes.is_good(made_up(number))
    assert len(nodes.here.identity._keys._keys._missing) == 10_000
    assert len(nodes.here.identity._keys) == 0


@on_two_nodes
async def test_many_who_need_the_same_share_one_lookup(nodes: Nodes) -> None:
    _, known = await nodes.here.key()
    _, new = await nodes.there.key()
    nodes.clock.now += FRESH
    nodes.store.open.clear()
    asked = [asyncio.create_task(nodes.is_good(text)) for text in (known, new) for _ in range(20)]
    await settle()
    nodes.store.open.set()
    assert all(await asyncio.gather(*asked))
    assert nodes.store.lookups() == 2


@on_two_nodes
async def test_who_shares_a_lookup_shares_its_failure(nodes: Nodes) -> None:
    _, known = await nodes.here.key()
    _, new = await nodes.there.key()
    nodes.clock.now += FRESH
    nodes.store.down = True
    nodes.store.open.clear()
    kept = [asyncio.create_task(nodes.is_good(known)) for _ in range(5)]
    lost = [asyncio.create_task(nodes.is_told(new)) for _ in range(5)]
    await settle()
    nodes.store.open.set()
    assert all(await asyncio.gather(*kept))
    assert not any(await asyncio.gather(*lost))
    assert nodes.store.lookups() == 2


@on_two_nodes
async def test_what_is_revoked_while_it_is_read_stays_so(nodes: Nodes) -> None:
    id, text = await nodes.here.key()
    nodes.clock.now += FRESH
    nodes.store.open.clear()
    asked = asyncio.create_task(nodes.is_good(text))
    await settle()  # the row was read, as it was, and is on its way
    keys = nodes.here.identity._keys._keys
    keys.put(id, msgspec.structs.replace(nodes.store.rows[id], revoked_at=nodes.clock.now))
    nodes.store.open.set()
    assert not await asked
    for _ in range(3):
        assert not await nodes.is_good(text)
        nodes.clock.now += FRESH


@on_two_nodes
async def test_a_key_that_could_not_be_revoked_is_of_no_use_here_and_can_be_revoked_later(
    nodes: Nodes,
) -> None:
    id, text = await nodes.here.key()
    nodes.store.failing |= {"key", "put_key"}
    for _ in range(3):
        with pytest.raises(StoreFailed):
            await nodes.here.identity.revoke_key(id)
        assert not await nodes.is_good(text)
        nodes.clock.now += GRACE
    nodes.store.failing.clear()
    assert not await nodes.is_good(text)
    assert nodes.store.rows[id].revoked_at is None
    (listed,) = await nodes.here.identity.keys()
    assert listed.revoked_at == NOW
    await nodes.here.identity.revoke_key(id)
    assert nodes.store.rows[id].revoked_at == nodes.clock.now


@on_two_nodes
async def test_a_key_that_another_node_made_or_revoked_is_revoked_once(nodes: Nodes) -> None:
    id, text = await nodes.there.key()
    assert await nodes.is_good(text)
    revoked = await nodes.there.identity.revoke_key(id)
    nodes.clock.now += 1.0
    assert await nodes.here.identity.revoke_key(id) == revoked
    assert not await nodes.is_good(text)
    other, _ = await nodes.there.key()
    assert await nodes.here.identity.revoke_key(other) is not None
    assert nodes.store.rows[other].revoked_at == nodes.clock.now
    assert await nodes.here.identity.revoke_key("0" * 12) is None
    nodes.store.down = True
    with pytest.raises(StoreFailed):
        await nodes.here.identity.revoke_key("0" * 12)


@on_two_nodes
async def test_keys_are_listed_whoever_made_them(nodes: Nodes) -> None:
    ids = [(await home.key())[0] for home in (nodes.here, nodes.there, nodes.here)]
    assert [key.id for key in await nodes.here.identity.keys()] == ids
    nodes.store.down = True
    with pytest.raises(StoreFailed):
        await nodes.here.identity.keys()


@on_two_nodes
async def test_a_clock_that_was_set_back_makes_nothing_fresh(nodes: Nodes) -> None:
    id, text = await nodes.here.key()
    await nodes.there.identity.revoke_key(id)
    nodes.clock.now = NOW - 3600.0
    assert not await nodes.is_good(text)


@on_two_nodes
async def test_a_session_that_was_ended_elsewhere_is_refused_when_it_is_not_fresh(
    nodes: Nodes,
) -> None:
    grant = await nodes.here.grant()
    assert await nodes.is_good(grant.access_token)
    await nodes.there.identity.revoke(grant.refresh_token)
    nodes.clock.now = NOW + FRESH - 0.1
    assert await nodes.is_good(grant.access_token)
    nodes.clock.now = NOW + FRESH
    assert not await nodes.is_good(grant.access_token)


@on_two_nodes
async def test_while_the_database_is_down_a_session_is_good_for_a_while(nodes: Nodes) -> None:
    grant, unseen = await nodes.here.grant(), await nodes.here.grant()
    assert await nodes.is_good(grant.access_token)
    nodes.store.down = True
    assert not await nodes.is_told(unseen.access_token)
    nodes.clock.now = NOW + GRACE - 0.1
    assert await nodes.is_good(grant.access_token)
    nodes.clock.now = NOW + GRACE
    assert not await nodes.is_told(grant.access_token)
    nodes.store.down = False
    nodes.clock.now += AGAIN_SECONDS
    assert await nodes.is_good(grant.access_token)


@on_two_nodes
async def test_of_many_who_refresh_on_two_nodes_one_wins_and_none_keeps_it(nodes: Nodes) -> None:
    grant = await nodes.here.grant()
    tries = (
        home.identity.refresh(grant.refresh_token)
        for _ in range(5)
        for home in (nodes.here, nodes.there)
    )
    done = await asyncio.gather(*tries, return_exceptions=True)
    won = [one for one in done if isinstance(one, Grant)]
    assert len(won) == 1
    assert {type(one) for one in done} == {Grant, Unauthenticated}
    for home in (nodes.here, nodes.there):
        with pytest.raises(Unauthenticated):
            await home.identity.refresh(won[0].refresh_token)


@on_two_nodes
async def test_a_refresh_token_goes_from_node_to_node(nodes: Nodes) -> None:
    grant = await nodes.here.grant()
    seen = {grant.refresh_token}
    for home in (nodes.there, nodes.here, nodes.there):
        grant = await home.identity.refresh(grant.refresh_token)
        seen.add(grant.refresh_token)
    assert len(seen) == 4


@on_two_nodes
async def test_a_refresh_token_is_not_used_up_in_vain(nodes: Nodes) -> None:
    grant = await nodes.here.grant()
    nodes.clock.now += GRACE
    nodes.store.down = True
    with pytest.raises(StoreFailed):
        await nodes.here.identity.refresh(grant.refresh_token)
    nodes.store.down = False
    nodes.clock.now += AGAIN_SECONDS
    nodes.store.failing.add("key")
    with pytest.raises(StoreFailed):
        await nodes.here.identity.refresh(grant.refresh_token)
    nodes.store.failing.clear()
    nodes.clock.now += AGAIN_SECONDS
    await nodes.here.identity.refresh(grant.refresh_token)


@on_loop
async def test_where_nobody_else_writes_nothing_is_read_again(tmp_path: Path) -> None:
    store, clock = SharedStore(), Clock()
    home = await node(store, tmp_path, clock, freshness=None)
    _, text = await home.key()
    grant = await home.identity.grant(text, None)
    await home.caller(grant.access_token)
    store.asked.clear()
    store.down = True
    for _ in range(5):
        clock.now += 60.0
        await home.caller(text)
        await home.caller(grant.access_token)
        with pytest.raises(Unauthenticated):
            await home.caller(made_up(1))
        assert len(await home.identity.keys()) == 1
    assert not store.asked


@on_loop
async def test_on_a_real_server(tmp_path: Path) -> None:
    clock = Clock()
    with surreal_server(tmp_path / "server") as server:
        settings = server.settings()
        async with (
            open_database(settings, tmp_path) as first,
            open_database(settings, tmp_path) as second,
        ):
            here = await node(first.identities, tmp_path / "here", clock)
            there = await node(second.identities, tmp_path / "there", clock)
            id, text = await there.key()
            _, other = await there.key()
            await here.caller(text)
            await there.identity.revoke_key(id)
            await here.caller(text)
            clock.now += FRESH
            with pytest.raises(Unauthenticated):
                await here.caller(text)
            _, new = await there.key()
            await here.caller(other)
            server.kill()
            clock.now += GRACE - 0.1
            await here.caller(other)
            with pytest.raises(StoreFailed):
                await here.caller(new)
            clock.now += 0.1
            with pytest.raises(StoreFailed):
                await here.caller(other)
            server.start()
            await answered(here, new, clock)
            await answered(here, other, clock)


async def answered(home: House, credential: str, clock: Clock) -> None:
    """Wait until a key is known again, which it is when there is a connection again."""
    while True:
        try:
            await home.caller(credential)
        except StoreFailed:
            clock.now += AGAIN_SECONDS
            await asyncio.sleep(0.05)
        else:
            return
