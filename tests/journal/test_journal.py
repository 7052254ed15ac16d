import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import time

import pytest

from soulbox_core import request_id
from soulbox_core.errors import StoreFailed
from soulbox_core.journal import journal as module
from soulbox_core.journal.journal import Journal
from soulbox_core.journal.retention import Retention
from soulbox_core.journal.spool import Spool
from soulbox_core.model import SourceFile
from soulbox_core.settings import Records
from soulbox_core.store.records import Execution
from tests.journal.databases import Database
from tests.journal.samples import NOW, report
from tests.loop import on_loop, until
from tests.samples import request

SECRET = b"a secret of the caller's"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.5)


@asynccontextmanager
async def journal(
    directory: Path, database: Database, *, spool_bytes: int = 1 << 20, **settings: object
) -> AsyncIterator[Journal]:
    records = Records(batch_seconds=0.01, spool_bytes=spool_bytes, **settings)  # type: ignore[arg-type]  # of any kind
    opened = Journal(Spool(directory, spool_bytes), database, records, "node-1")
    try:
        yield opened
    finally:
        await opened.close()


def on_disk(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.records"))


@on_loop
async def test_records_come_to_the_database_in_batches(tmp_path: Path) -> None:
    database = Database()
    async with journal(tmp_path, database) as opened:
        for number in range(100):
            opened.ended(report(f"run-{number}"))
        await until(lambda: opened.written == 100)
        assert opened.waiting_bytes == 0
    assert database.ids == [f"run-{number}" for number in range(100)]
    assert database.asked < 10


@on_loop
async def test_a_record_says_what_came_of_the_run_and_nothing_of_what_it_was(
    tmp_path: Path,
) -> None:
    database = Database()
    request_id.begin("req-1")
    told = report(
        request=request(files=(SourceFile(path="main.lua", content=SECRET),), stdin=SECRET),
        stdout=SECRET,
    )
    async with journal(tmp_path, database) as opened:
        opened.ended(told)
        assert SECRET not in b"".join(map(Path.read_bytes, on_disk(tmp_path)))
    record = await database.execution("run-1")
    assert record is not None
    assert record.content is None
    assert (record.caller, record.language, record.status) == ("key:0123456789ab", "lua", "ok")
    assert (record.node, record.request_id, record.created_at) == ("node-1", "req-1", NOW)
    assert record.usage is not None
    assert record.usage.cpu_seconds == 0.25
    assert record.timings is not None


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        ("cancelled", "cancelled", None),
        ("cell_lost", "error", "cell_lost"),
    ],
)
def test_a_run_without_an_outcome_has_a_record(
    tmp_path: Path, failure: str, status: str, error: str | None
) -> None:
    @on_loop
    async def test() -> None:
        database = Database()
        async with journal(tmp_path, database) as opened:
            opened.ended(report(outcome=None, failure=failure))
        record = await database.execution("run-1")
        assert record is not None
        assert (record.status, record.error, record.usage) == (status, error, None)

    test()


@on_loop
async def test_content_is_kept_where_a_setting_says_so_cut_to_its_bound(tmp_path: Path) -> None:
    database = Database()
    files = (
        SourceFile(path="a", content=b"x" * 6),
        SourceFile(path="b", content=b"y" * 6),
    )
    told = report(
        request=request(files=files, entrypoint="a", stdin=b"in", args=("one", "two", "three")),
        stdout=b"o" * 20,
        stderr=b"e",
    )
    async with journal(tmp_path, database, code=True, output=True, content_bytes=8) as opened:
        opened.ended(told)
    record = await database.execution("run-1")
    assert record is not None
    content = record.content
    assert content is not None
    assert content.files == {"a": b"x" * 6, "b": b"y" * 2}
    assert content.args == ("one", "two")
    assert (content.stdin, content.stdout, content.stderr) == (b"in", b"o" * 8, b"e")
    assert content.truncated


@pytest.mark.parametrize(
    ("said", "kept"),
    [("é" * 5, "é" * 4), ("x" + "é" * 5, "x" + "é" * 3), ("😀" * 3, "😀" * 2)],
)
def test_text_that_is_cut_is_still_text(tmp_path: Path, said: str, kept: str) -> None:
    @on_loop
    async def test() -> None:
        database = Database()
        async with journal(tmp_path, database, output=True, content_bytes=8) as opened:
            opened.ended(report(stdout=said.encode(), stderr=b"\x80" * 20))
        record = await database.execution("run-1")
        assert record is not None
        assert record.content is not None
        assert record.content.stdout == kept.encode()
        assert record.content.stderr is not None
        assert 5 <= len(record.content.stderr) <= 8

    test()


@on_loop
async def test_records_wait_while_the_database_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database()
    database.up = False
    async with journal(tmp_path, database) as opened:
        for number in range(10):
            opened.ended(report(f"run-{number}"))
            await asyncio.sleep(0.01)
        await until(lambda: database.asked > 3)
        assert opened.waiting_bytes > 0
        database.up = True
        await until(lambda: opened.written == 10)
    assert sorted(database.ids) == [f"run-{number}" for number in range(10)]
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == [
        "records of runs wait on disk: the database is gone",
        "records of runs are written to the database again",
    ]


@on_loop
async def test_what_waits_is_written_by_a_later_life(tmp_path: Path) -> None:
    database = Database()
    database.up = False
    async with journal(tmp_path, database) as opened:
        opened.ended(report("early"))
    database.up = True
    async with journal(tmp_path, database) as opened:
        opened.ended(report("late"))
        await until(lambda: opened.written == 2)
    assert database.ids == ["early", "late"]


@on_loop
async def test_an_answer_that_did_not_come_doubles_nothing(tmp_path: Path) -> None:
    database = Database()
    database.forgetful = True
    async with journal(tmp_path, database) as opened:
        opened.ended(report())
        await until(lambda: database.asked >= 3)
        database.forgetful = False
        await until(lambda: opened.written == 1)
    assert database.ids == ["run-1"]


@on_loop
async def test_a_full_spool_loses_the_newest_says_so_once_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database()
    database.up = False
    async with journal(tmp_path, database, spool_bytes=2000) as opened:
        for number in range(50):
            opened.ended(report(f"run-{number}"))
        assert 0 < opened.lost < 50
        kept = 50 - opened.lost
        database.up = True
        await until(lambda: opened.written == kept)
        opened.ended(report("after"))
        await until(lambda: opened.written == kept + 1)
    assert database.ids == [*(f"run-{number}" for number in range(kept)), "after"]
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1


@on_loop
async def test_a_torn_file_gives_what_is_whole_and_is_counted(tmp_path: Path) -> None:
    database = Database()
    spool = Spool(tmp_path, 1 << 20)
    gone = Database()
    gone.up = False
    first = Journal(spool, gone, Records(batch_seconds=0.01), "node-1")
    first.ended(report("whole"))
    first.ended(report("torn"))
    await first.close()
    (file,) = on_disk(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    async with journal(tmp_path, database) as opened:
        await until(lambda: opened.written == 1)
        assert opened.damaged == 1
    assert database.ids == ["whole"]


class Picky(Database):
    """Takes all records but those called bad."""

    async def add(self, batch: str, executions: Sequence[Execution]) -> None:
        if any(each.id == "bad" for each in executions):
            self.asked += 1
            raise StoreFailed("not this one")
        await super().add(batch, executions)


@on_loop
async def test_what_is_not_taken_keeps_nothing_else_out_and_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "REFUSED_SECONDS", 0.05)
    database = Picky()
    async with journal(tmp_path, database) as opened:
        opened.ended(report("bad"))
        await until(lambda: database.asked > 2)
        assert opened.refused == 0  # it may be the database that is to blame
        for number in range(5):
            opened.ended(report(f"good-{number}"))
            await until(lambda: opened.written == number + 1)  # noqa: B023, awaited here
        await until(lambda: database.asked > 10)
        assert (opened.refused, opened.lost) == (1, 0)
        assert len(on_disk(tmp_path)) == 1
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1
    honest = Database()
    async with journal(tmp_path, honest) as opened:
        await until(lambda: opened.written == 1)
    assert honest.ids == ["bad"]


@on_loop
async def test_a_long_outage_costs_nothing_however_healthy_the_database_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    database = Database()
    database.up = False
    async with journal(tmp_path, database) as opened:
        for number in range(30):
            opened.ended(report(f"run-{number}"))
            await asyncio.sleep(0.01)
        await until(lambda: database.asked > 40)
        assert (opened.refused, opened.lost) == (0, 0)
        database.up = True
        await until(lambda: opened.written == 30)


@on_loop
async def test_what_nobody_foresaw_does_not_end_the_writing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(Database):
        async def add(self, batch: str, executions: Sequence[Execution]) -> None:
            self.asked += 1
            if self.asked < 3:
                raise TypeError("odd")
            await super().add(batch, executions)

    database = Odd()
    async with journal(tmp_path, database) as opened:
        opened.ended(report())
        await until(lambda: opened.written == 1)
    assert database.ids == ["run-1"]
    assert "odd" in caplog.text


@on_loop
async def test_records_that_come_while_others_are_written_wait_for_their_turn(
    tmp_path: Path,
) -> None:
    class Slow(Database):
        async def add(self, batch: str, executions: Sequence[Execution]) -> None:
            await asyncio.sleep(0.05)
            await super().add(batch, executions)

    database = Slow()
    async with journal(tmp_path, database) as opened:
        for number in range(60):
            opened.ended(report(f"run-{number}"))
            await asyncio.sleep(0.005)
        await until(lambda: opened.written == 60)
    assert len(database.batches) < 12


@on_loop
async def test_a_file_that_is_gone_is_counted_and_holds_nothing_up(tmp_path: Path) -> None:
    database = Database()
    database.up = False
    async with journal(tmp_path, database) as opened:
        opened.ended(report("gone"))
        await until(lambda: database.asked > 1)
        (file,) = on_disk(tmp_path)
        file.unlink()
        database.up = True
        opened.ended(report("here"))
        await until(lambda: opened.written == 1)
        assert opened.damaged == 1
        assert opened.waiting_bytes == 0
    assert database.ids == ["here"]


@on_loop
async def test_files_are_dropped_with_records_of_their_age_and_counted_as_lost(
    tmp_path: Path,
) -> None:
    database = Database()
    database.up = False
    async with journal(tmp_path, database) as opened:
        opened.ended(report("one"))
        opened.ended(report("two"))
        await until(lambda: database.asked > 1)
        await opened.forget(time() - 100.0)
        assert opened.lost == 0
        await opened.forget(time() + 1.0)
        assert opened.lost == 2
        assert opened.waiting_bytes == 0


@on_loop
async def test_old_records_are_dropped_from_the_start_on(tmp_path: Path) -> None:
    database = Database()
    async with journal(tmp_path, database) as opened:
        retention = Retention(database, opened, 100.0, lambda: NOW)
        await until(lambda: bool(database.forgot))
        await retention.close()
    assert database.forgot == [NOW - 100.0]


@on_loop
async def test_a_database_that_is_gone_does_not_end_dropping(tmp_path: Path) -> None:
    database = Database()
    database.up = False
    async with journal(tmp_path, database) as opened:
        retention = Retention(database, opened, 0.01, lambda: NOW)
        await asyncio.sleep(0.03)
        database.up = True
        await until(lambda: bool(database.forgot))
        await retention.close()


@on_loop
async def test_what_nobody_foresaw_keeps_no_record_from_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    synced: list[None] = []
    monkeypatch.setattr(Spool, "sync", lambda _: synced.append(None))

    class Mistaken(Database):
        async def add(self, batch: str, executions: Sequence[Execution]) -> None:
            await super().add(batch, executions)
            if self.asked == 1:
                raise KeyError("a mistake of ours")

    database = Mistaken()
    async with journal(tmp_path, database) as opened:
        opened.ended(report("run-1"))
        await until(lambda: opened.written)
        assert synced == [None]
    assert database.ids == ["run-1"]
    assert "records of runs could not be written" in caplog.text
