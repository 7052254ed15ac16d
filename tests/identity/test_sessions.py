import asyncio
from pathlib import Path

import pytest

from soulbox_core.errors import InvalidRequest, Unauthenticated
from soulbox_core.identity.identity import Grant
from soulbox_core.identity.sessions import MOST_OF_A_KEY
from soulbox_core.settings import Auth
from tests.identity.house import NOW, House, house
from tests.loop import on_loop


async def is_good(home: House, token: str) -> bool:
    try:
        await home.caller(token)
    except Unauthenticated:
        return False
    return True


@on_loop
async def test_a_key_is_traded_for_tokens(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        id, text = await home.key(("execute", "admin"))
        grant = await home.identity.grant(text, ("execute",))
        assert (grant.expires_in, grant.scopes) == (600.0, ("execute",))
        caller = await home.caller(grant.access_token)
        assert (caller.id, caller.scopes, caller.policy) == (
            f"key:{id}",
            frozenset(("execute",)),
            "agents",
        )
        with pytest.raises(Unauthenticated):
            await home.caller(grant.refresh_token)


@on_loop
async def test_no_scope_is_won_by_trading(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        _, text = await home.key()
        with pytest.raises(InvalidRequest, match="does not have the scope 'admin'"):
            await home.identity.grant(text, ("execute", "admin"))
        with pytest.raises(Unauthenticated):
            await home.identity.grant("sbx_nobody", None)


@on_loop
async def test_an_admin_s_key_can_be_traded_for_less(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        _, text = await home.key(("admin",))
        grant = await home.identity.grant(text, ("execute",))
        assert (await home.caller(grant.access_token)).scopes == {"execute"}


@on_loop
async def test_each_refresh_brings_a_successor(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        grant = await home.grant()
        seen = {grant.refresh_token}
        for _ in range(3):
            home.clock.now += 500.0
            grant = await home.identity.refresh(grant.refresh_token)
            assert await is_good(home, grant.access_token)
            seen.add(grant.refresh_token)
        assert len(seen) == 4
    async with house(tmp_path, clock=home.clock) as home:
        await home.identity.refresh(grant.refresh_token)


@on_loop
async def test_a_used_refresh_token_ends_its_whole_family(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        first, stranger = await home.grant(), await home.grant()
        second = await home.identity.refresh(first.refresh_token)
        third = await home.identity.refresh(second.refresh_token)
        assert await is_good(home, third.access_token)
        with pytest.raises(Unauthenticated):
            await home.identity.refresh(first.refresh_token)
        for grant in (first, second, third):
            assert not await is_good(home, grant.access_token)
        with pytest.raises(Unauthenticated):
            await home.identity.refresh(third.refresh_token)
        assert await is_good(home, stranger.access_token)


@on_loop
async def test_of_many_who_refresh_at_once_one_wins_and_none_keeps_it(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        grant = await home.grant()
        tries = (home.identity.refresh(grant.refresh_token) for _ in range(10))
        done = await asyncio.gather(*tries, return_exceptions=True)
        won = [one for one in done if isinstance(one, Grant)]
        assert len(won) == 1
        assert not await is_good(home, won[0].access_token)


@on_loop
async def test_a_family_is_over_however_often_it_is_refreshed(tmp_path: Path) -> None:
    async with house(tmp_path, Auth(refresh_seconds=100.0)) as home:
        grant = await home.grant()
        home.clock.now = NOW + 99.0
        grant = await home.identity.refresh(grant.refresh_token)
        home.clock.now = NOW + 100.0
        with pytest.raises(Unauthenticated):
            await home.identity.refresh(grant.refresh_token)
        assert not await is_good(home, grant.access_token)


@on_loop
@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_a_token_ends_all_that_belong_to_it(tmp_path: Path, which: str) -> None:
    async with house(tmp_path) as home:
        grant = await home.grant()
        assert await is_good(home, grant.access_token)
        await home.identity.revoke(getattr(grant, which))
        assert not await is_good(home, grant.access_token)
        with pytest.raises(Unauthenticated):
            await home.identity.refresh(grant.refresh_token)


@on_loop
@pytest.mark.parametrize("token", ["", "sbr_", "a.b.c", "sbx_0", f"sbr_{'0' * 32}_{'a' * 43}"])
async def test_revoking_what_is_none_does_nothing(tmp_path: Path, token: str) -> None:
    async with house(tmp_path) as home:
        grant = await home.grant()
        await home.identity.revoke(token)
        assert await is_good(home, grant.access_token)


@on_loop
async def test_revoking_a_key_ends_what_it_was_traded_for(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        id, text = await home.key()
        grants = [await home.identity.grant(text, None) for _ in range(2)]
        await home.identity.revoke_key(id)
        for grant in grants:
            assert not await is_good(home, grant.access_token)
            with pytest.raises(Unauthenticated):
                await home.identity.refresh(grant.refresh_token)


@on_loop
async def test_a_key_has_so_many_families_and_no_more(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        _, text = await home.key()
        grants = []
        for _ in range(MOST_OF_A_KEY + 2):
            home.clock.now += 1.0
            grants.append(await home.identity.grant(text, None))
        good = [await is_good(home, grant.access_token) for grant in grants]
        assert good == [False] * 2 + [True] * MOST_OF_A_KEY


@on_loop
async def test_what_is_remembered_of_families_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulbox_core.identity.sessions._REMEMBERED", 3)
    async with house(tmp_path) as home:
        _, text = await home.key()
        grants = [await home.identity.grant(text, None) for _ in range(8)]
        for grant in grants:
            await home.identity.revoke(grant.refresh_token)
        assert len(home.identity._sessions._seen) == 3
        for grant in grants:
            assert not await is_good(home, grant.access_token)
