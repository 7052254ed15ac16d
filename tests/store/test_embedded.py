"""The database that is part of the process, on a real disk."""

import asyncio
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from surrealdb import AsyncSurreal

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.settings import Database
from soulbox_core.store.migrations import STEPS
from soulbox_core.store.opening import open_database
from tests.loop import on_loop
from tests.store.samples import api_key

ROOT = Path(__file__).parents[2]


async def tampered(directory: Path, query: str) -> None:
    """Do something to a database behind SoulBox's back."""
    async with AsyncSurreal(f"surrealkv://{directory / 'data'}") as connection:
        await connection.use("soulbox", "soulbox")
        await connection.query(query)


@on_loop
async def test_nobody_else_can_look_into_it(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    directory.mkdir(mode=0o755)
    async with open_database(Database(), directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@on_loop
async def test_a_second_one_is_refused(tmp_path: Path) -> None:
    async with open_database(Database(), tmp_path):
        with pytest.raises(StoreError, match="another process has the database"):
            async with open_database(Database(), tmp_path):
                pass
    async with open_database(Database(), tmp_path):
        pass


@on_loop
async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    async with open_database(Database(), tmp_path):
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
    async with open_database(Database(), tmp_path) as stores:
        await stores.identities.put_key(api_key())
    await tampered(tmp_path, "UPDATE meta:schema SET version = 99")
    with pytest.raises(StoreError, match="version 99 and this SoulBox knows"):
        async with open_database(Database(), tmp_path):
            pass


@on_loop
async def test_steps_are_taken_once_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(Database(), tmp_path) as stores:
        await stores.identities.put_key(api_key())
    steps = (*STEPS, "UPDATE api_key SET policy = policy + '2';", "THROW 'no'")
    monkeypatch.setattr("soulbox_core.store.migrations.STEPS", steps)
    monkeypatch.setattr("soulbox_core.store.migrations.VERSION", len(steps))
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be brought up to date"):
            async with open_database(Database(), tmp_path):
                pass
    monkeypatch.setattr("soulbox_core.store.migrations.VERSION", len(steps) - 1)
    async with open_database(Database(), tmp_path) as stores:
        (key,) = await stores.identities.keys()
    assert key.policy == "default2"


@on_loop
@pytest.mark.parametrize(
    "damage",
    ["revoked_at = 'never'", "scopes = 'execute'", "digest = NONE", "expires_at = [1]"],
)
async def test_a_damaged_record_is_no_key(tmp_path: Path, damage: str) -> None:
    async with open_database(Database(), tmp_path) as stores:
        await stores.identities.put_key(api_key())
    await tampered(tmp_path, f"UPDATE api_key SET {damage}")
    async with open_database(Database(), tmp_path) as stores:
        with pytest.raises(StoreFailed, match="record ApiKey 0123456789ab is damaged"):
            await stores.identities.keys()


@on_loop
async def test_a_directory_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="set state_dir to a directory"):
        async with open_database(Database(), tmp_path / "file" / "store"):
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
    async with open_database(Database(), directory) as stores:
        return {key.id for key in await stores.identities.keys()}
