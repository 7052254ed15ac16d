"""A database that is written anew to be small again, with the real engine on a real disk."""

import asyncio
import logging
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.settings import Database
from soulbox_core.store.embedded import Embedded, open_embedded
from soulbox_core.store.generations import size_of
from soulbox_core.store.migrations import migrate
from soulbox_core.store.opening import Stores, open_database
from soulbox_core.store.records import Content, Execution, ExecutionQuery
from soulbox_core.store.rewriting import Rewriting
from soulbox_core.store.tally import Tally
from tests.loop import on_loop, until
from tests.store.samples import NOW, api_key, content, execution, family

ROOT = Path(__file__).parents[2]
CALLER = "key:0123456789ab"
TODAY = "2027-01-15"


@asynccontextmanager
async def rewritable(directory: Path) -> AsyncIterator[tuple[Embedded, Stores, Rewriting]]:
    """A database, what is kept in it, and what rewrites it."""
    async with open_embedded(directory) as database:
        await migrate(database)
        tally = Tally()
        yield database, Stores(database, tally), Rewriting(database, tally)


async def fill(stores: Stores) -> None:
    """Something of each kind, and much that is of no use any more."""
    await stores.identities.put_key(api_key())
    await stores.identities.put_key(api_key(id="b" * 12, revoked_at=NOW))
    await stores.identities.add_family(family())
    await stores.executions.add("b0", [execution(number) for number in range(400)])
    await stores.executions.forget(NOW + 350.0)
    await stores.executions.add("b1", [execution(500 + number) for number in range(250)])
    await stores.executions.add("b2", [execution(1000, content=content(), exit_code=None)])


async def everything(stores: Stores) -> list[tuple[str, dict[str, object]]]:
    return [row async for row in stores.dump.rows()]


def directories(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir() if each.is_dir())


@on_loop
async def test_everything_is_there_afterwards_and_the_file_is_small(tmp_path: Path) -> None:
    async with rewritable(tmp_path) as (database, stores, rewriting):
        await fill(stores)
        before = await everything(stores)
        size = size_of(tmp_path)
        for number in (1, 2):
            await rewriting.rewrite()
            assert await everything(stores) == before
            assert directories(tmp_path) == [f"data-{number}"]
            assert size_of(tmp_path) < 0.8 * size
        assert stores.tally.rewrites == 2
        indexes = await database.ask("INFO FOR TABLE execution")
        assert len(indexes["indexes"]) == 4
    async with open_database(Database(), tmp_path) as stores:
        assert await everything(stores) == before
        listed = await stores.executions.executions(
            ExecutionQuery(caller=CALLER, language="python", status="ok", limit=1000)
        )
        assert len(listed) == 50 + 250 + 1
        assert await stores.identities.family_of_session("s1") == family()
        (used,) = await stores.executions.usage(CALLER, TODAY, TODAY)
        assert used.runs == 651
        await stores.executions.add("b1", [execution(2000)])
        assert await everything(stores) == before
        assert await stores.identities.rotate("f1", "11" * 32, "22" * 32)


@on_loop
async def test_records_with_much_in_them_are_copied_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulbox_core.store.rewriting._PIECE_BYTES", 10_000)
    async with rewritable(tmp_path) as (_, stores, rewriting):
        much = Content(stdout=b"x" * 30_000)
        records = [execution(number, content=much) for number in range(30)]
        await stores.executions.add("b1", records)
        await rewriting.rewrite()
        for record in records:
            assert await stores.executions.execution(record.id) == record


@on_loop
async def test_the_old_engine_is_closed(tmp_path: Path) -> None:
    async with rewritable(tmp_path) as (database, stores, rewriting):
        await fill(stores)
        old = database.path
        assert open_below(old)
        await rewriting.rewrite()
        await until(lambda: not open_below(old))
        assert open_below(database.path)


def open_below(path: Path) -> list[str]:
    """The files in a directory, gone or not, that this process has open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(each.readlink()))
    return [name for name in found if name.startswith(f"{path}/")]


@on_loop
async def test_what_is_written_and_dropped_meanwhile_is_so_afterwards(tmp_path: Path) -> None:
    async with rewritable(tmp_path) as (_, stores, rewriting):
        await fill(stores)
        pages: list[tuple[Execution, ...]] = []
        task = asyncio.create_task(rewriting.rewrite())
        added = 0
        while not task.done():
            # Some stand behind those that were copied, and some before.
            batch = [execution(number + 3 * added) for number in (700, 1100, 5000)]
            batch = [each for each in batch if await stores.executions.execution(each.id) is None]
            await stores.executions.add(f"n{added}", batch)
            await stores.identities.put_key(api_key(id=f"{added:012x}"))
            if added == 1:
                assert await stores.executions.forget(NOW + 400.0) == 50
            pages.append(await stores.executions.executions(ExecutionQuery(caller=CALLER)))
            added += 1
        await task
        assert added > 2
        assert all(len(page) == 20 for page in pages)
        before = await everything(stores)
    async with open_database(Database(), tmp_path) as stores:
        assert await everything(stores) == before
        names = [row["id"] for table, row in before if table == "batch"]
        assert {f"n{number}" for number in range(added)} <= set(names)
        assert len(await stores.identities.keys()) == 2 + added
        assert await stores.executions.execution(execution(380).id) is None
        (used,) = await stores.executions.usage(CALLER, TODAY, TODAY)
        records = sum(table == "execution" for table, _ in before)
        assert used.runs == 400 + records


@pytest.mark.parametrize(
    ("step", "times"),
    [
        ("ask", 1),
        ("ask", 9),
        ("ask", 25),
        ("propose", 1),
        ("sync", 1),
        ("sync", 3),
        ("appoint", 1),
        ("move", 1),
        ("settle", 1),
        ("let_go", 1),
        ("drop", 1),
        ("unlink", 1),
        ("unlink", 2),
    ],
)
def test_a_kill_at_any_step_loses_nothing(tmp_path: Path, step: str, times: int) -> None:
    before = asyncio.run(filled(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.rewriter", str(tmp_path), step, str(times)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    for _ in range(2):
        assert asyncio.run(found(tmp_path)) == before
        assert len(directories(tmp_path)) == 1
    asyncio.run(rewritten(tmp_path))
    assert asyncio.run(found(tmp_path)) == before


async def filled(directory: Path) -> list[tuple[str, dict[str, object]]]:
    async with open_database(Database(), directory) as stores:
        await fill(stores)
        return await everything(stores)


async def found(directory: Path) -> list[tuple[str, dict[str, object]]]:
    async with open_database(Database(), directory) as stores:
        return await everything(stores)


async def rewritten(directory: Path) -> None:
    async with rewritable(directory) as (_, _, rewriting):
        await rewriting.rewrite()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """For the time of the context no file can become larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@on_loop
@pytest.mark.parametrize("size", [100, 4096, 200_000])
async def test_without_room_on_the_disk_the_old_one_stays(tmp_path: Path, size: int) -> None:
    async with rewritable(tmp_path) as (_, stores, rewriting):
        await fill(stores)
        before = await everything(stores)
        with files_of_at_most(size), pytest.raises((StoreFailed, StoreError, OSError)):
            await rewriting.rewrite()
        assert directories(tmp_path) == ["data"]
        assert await everything(stores) == before
        assert stores.tally.rewrites == 0
        await rewriting.rewrite()
        assert await everything(stores) == before
        await stores.identities.put_key(api_key(id="c" * 12))
    async with open_database(Database(), tmp_path) as stores:
        assert len(await stores.identities.keys()) == 3


@on_loop
async def test_one_that_is_given_up_leaves_the_old_one(tmp_path: Path) -> None:
    async with rewritable(tmp_path) as (_, stores, rewriting):
        await fill(stores)
        before = await everything(stores)
        for pause in (0.0, 0.01, 0.05, 0.1, 0.15, 0.2):
            task = asyncio.create_task(rewriting.rewrite())
            await asyncio.sleep(pause)
            task.cancel()
            await asyncio.wait([task])
            assert await everything(stores) == before
            await stores.identities.put_key(api_key())
    assert await found(tmp_path) == before
    assert len(directories(tmp_path)) == 1


@on_loop
@pytest.mark.parametrize("named", ["data-7", "", "../data", "data-1\n", "x" * 100, b"\xff\xfe"])
async def test_one_that_is_not_where_it_is_said_to_be_is_not_begun_anew(
    tmp_path: Path, named: str | bytes
) -> None:
    await filled(tmp_path)
    raw = named if isinstance(named, bytes) else named.encode()
    (tmp_path / "current").write_bytes(raw)
    with pytest.raises(StoreError, match="not where the file current says"):
        async with open_database(Database(), tmp_path):
            pass
    assert directories(tmp_path) == ["data"]


@on_loop
async def test_without_a_word_a_later_one_is_not_taken_for_none(tmp_path: Path) -> None:
    await filled(tmp_path)
    await rewritten(tmp_path)
    (tmp_path / "current").unlink()
    with pytest.raises(StoreError, match="not where the file current says"):
        async with open_database(Database(), tmp_path):
            pass
    assert directories(tmp_path) == ["data-1"]


@on_loop
async def test_one_that_is_mostly_of_no_use_is_rewritten_while_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("soulbox_core.store.rewriting._FLOOR_BYTES", 100_000)
    monkeypatch.setattr("soulbox_core.store.upkeep.EVERY_SECONDS", 0.05)
    before = await filled(tmp_path)
    async with open_database(Database(), tmp_path, most=1000) as stores:
        await until(lambda: stores.tally.rewrites)
        assert await everything(stores) == before
        assert caplog.text.count("rewrote the database: 301 records of runs") == 1
    # How large it was then is known at the next start as well.
    async with open_database(Database(), tmp_path, most=1000) as stores:
        await asyncio.sleep(0.3)
        assert stores.tally.rewrites == 0


@on_loop
async def test_one_that_cannot_be_rewritten_is_told_of_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("soulbox_core.store.rewriting._FLOOR_BYTES", 100_000)
    monkeypatch.setattr("soulbox_core.store.upkeep.EVERY_SECONDS", 0.01)
    before = await filled(tmp_path)
    (tmp_path / "data-1").write_text("in its way")
    async with open_database(Database(), tmp_path, most=10) as stores:
        await until(lambda: "could not be rewritten" in caplog.text)
        await until(lambda: stores.tally.dropped_for_room == 291)
        await asyncio.sleep(0.2)
        assert caplog.text.count("could not be rewritten") == 1
        assert len(await everything(stores)) == len(before) - 291
