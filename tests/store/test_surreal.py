"""The real engine, on a real disk."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from surrealdb import AsyncSurreal

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.store.migrations import STEPS
from soulbox_core.store.surreal import open_store
from tests.loop import on_loop
from tests.store.samples import NOW, api_key, family

ROOT = Path(__file__).parents[2]


async def tampered(directory: Path, query: str) -> None:
    """Do something to a database behind SoulBox's back."""
    async with AsyncSurreal(f"surrealkv://{directory / 'data'}") as connection:
        await connection.use("soulbox", "soulbox")
        await connection.query(query)


@on_loop
async def test_what_was_kept_is_there_the_next_time(tmp_path: Path) -> None:
    key = api_key(expires_at=NOW + 5.0, scopes=("execute", "admin"))
    async with open_store(tmp_path) as store:
        assert await store.keys() == ()
        await store.put_key(key)
        await store.put_key(api_key(id="other", created_at=NOW - 1.0))
        await store.add_family(family())
    async with open_store(tmp_path) as store:
        assert await store.keys() == (api_key(id="other", created_at=NOW - 1.0), key)
        assert await store.family("f1") == await store.family_of_session("s1") == family()


@on_loop
async def test_a_key_takes_the_place_of_its_former_self(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.put_key(api_key(expires_at=NOW))
        await store.put_key(api_key(revoked_at=NOW))
        assert await store.keys() == (api_key(revoked_at=NOW),)


@on_loop
async def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        assert await store.family("nobody") is None
        assert await store.family_of_session("nothing") is None
        await store.revoke_family("nobody", NOW)
        assert await store.family("nobody") is None


@on_loop
async def test_names_are_values_and_never_a_query(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.put_key(api_key(name="x'; DELETE api_key; --", policy="$content"))
        await store.family("f1; DELETE api_key")
        (key,) = await store.keys()
        assert (key.name, key.policy) == ("x'; DELETE api_key; --", "$content")


@on_loop
async def test_of_many_who_rotate_at_once_one_wins(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.add_family(family())
        won = await asyncio.gather(
            *(store.rotate("f1", family().digest, f"new{number}") for number in range(20))
        )
        assert sum(won) == 1
        found = await store.family("f1")
        assert found is not None
        assert found.digest == f"new{won.index(True)}"


@on_loop
async def test_a_revoked_family_is_not_rotated(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.add_family(family())
        await store.revoke_family("f1", NOW + 1.0)
        await store.revoke_family("f1", NOW + 9.0)
        assert not await store.rotate("f1", family().digest, "new")
        assert await store.family("f1") == family(revoked_at=NOW + 1.0)


@on_loop
async def test_the_families_of_a_key(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.add_family(family(created_at=NOW + 2.0))
        await store.add_family(family(id="f2", session="s2"))
        await store.add_family(family(id="f3", session="s3", key_id="other"))
        await store.add_family(family(id="f4", session="s4", revoked_at=NOW))
        found = await store.families_of("0123456789ab")
        assert [each.id for each in found] == ["f2", "f1"]


@on_loop
async def test_expired_families_are_forgotten(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.add_family(family())
        await store.add_family(family(id="f2", session="s2", expires_at=NOW + 300.0))
        await store.forget_families(NOW + 200.0)
        assert await store.family("f1") is None
        assert await store.family("f2") is not None


@on_loop
async def test_a_session_is_of_one_family(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.add_family(family())
        with pytest.raises(StoreFailed):
            await store.add_family(family(id="f2"))


@on_loop
async def test_nobody_else_can_look_into_it(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    directory.mkdir(mode=0o755)
    async with open_store(directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@on_loop
async def test_a_second_one_is_refused(tmp_path: Path) -> None:
    async with open_store(tmp_path):
        with pytest.raises(StoreError, match="another process has the database"):
            async with open_store(tmp_path):
                pass
    async with open_store(tmp_path):
        pass


@on_loop
async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    async with open_store(tmp_path):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.store.crasher", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    assert "StoreError: another process has the database" in done.stderr


@on_loop
async def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.put_key(api_key())
    await tampered(tmp_path, "UPDATE meta:schema SET version = 99")
    with pytest.raises(StoreError, match="version 99 and this SoulBox knows"):
        async with open_store(tmp_path):
            pass


@on_loop
async def test_steps_are_taken_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(tmp_path) as store:
        await store.put_key(api_key())
    steps = (*STEPS, "UPDATE api_key SET policy = policy + '2';", "THROW 'no'")
    monkeypatch.setattr("soulbox_core.store.surreal.STEPS", steps)
    monkeypatch.setattr("soulbox_core.store.surreal.VERSION", len(steps))
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be brought up to date"):
            async with open_store(tmp_path):
                pass
    monkeypatch.setattr("soulbox_core.store.surreal.VERSION", len(steps) - 1)
    async with open_store(tmp_path) as store:
        (key,) = await store.keys()
    assert key.policy == "default2"


@on_loop
@pytest.mark.parametrize(
    "damage",
    ["revoked_at = 'never'", "scopes = 'execute'", "digest = NONE", "expires_at = [1]"],
)
async def test_a_damaged_record_is_no_key(tmp_path: Path, damage: str) -> None:
    async with open_store(tmp_path) as store:
        await store.put_key(api_key())
    await tampered(tmp_path, f"UPDATE api_key SET {damage}")
    async with open_store(tmp_path) as store:
        with pytest.raises(StoreFailed, match="record ApiKey 0123456789ab is damaged"):
            await store.keys()


@on_loop
async def test_a_directory_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="set state_dir to a directory"):
        async with open_store(tmp_path / "file" / "store"):
            pass


def test_what_was_told_to_be_kept_is_there_after_a_kill(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.crasher", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        told = [int(process.stdout.readline()) for _ in range(50)]
        process.kill()
        told += [int(line) for line in process.stdout if line.endswith("\n")]
    kept = asyncio.run(kept_in(tmp_path))
    assert {f"{number:012x}" for number in told} <= kept


async def kept_in(directory: Path) -> set[str]:
    async with open_store(directory) as store:
        return {key.id for key in await store.keys()}
