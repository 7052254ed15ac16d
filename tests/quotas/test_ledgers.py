"""CPU time of callers: in a file, and in a real Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from soulbox_core.quotas.book import MOST, OTHERS, Book
from soulbox_core.quotas.file_ledger import FileLedger
from soulbox_core.quotas.redis_ledger import RedisLedger
from soulbox_core.remote.breaker import Breaker
from soulbox_core.remote.redis import connection
from tests.loop import on_loop
from tests.quotas.redis_server import RedisServer

DAY, NEXT = "2026-11-25", "2026-11-26"
ME = "key:1"


def test_a_new_day_is_a_new_page() -> None:
    book = Book()
    book.add(ME, DAY, 1.5)
    book.add(ME, DAY, 1.0)
    assert book.get(ME, DAY) == 2.5
    book.add(ME, NEXT, 1.0)
    assert (book.get(ME, DAY), book.get(ME, NEXT)) == (0.0, 1.0)
    book.add(ME, DAY, 9.0)
    assert book.get(ME, NEXT) == 1.0, "a clock that was set back throws nothing away"


def test_callers_beyond_the_bound_are_one() -> None:
    book = Book(DAY, {f"address:{number}": 1.0 for number in range(MOST)})
    book.add("address:new", DAY, 1.0)
    book.add("address:newer", DAY, 2.0)
    assert book.get("address:new", DAY) == book.get(OTHERS, DAY) == 3.0
    assert len(book.seconds) == MOST + 1


@on_loop
async def test_a_file_keeps_it_over_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "cpu.json"
    ledger = FileLedger(file)
    ledger.add(ME, DAY, 2.5)
    assert await ledger.cpu_seconds(ME, DAY) == 2.5
    await ledger.close()
    assert file.stat().st_mode & 0o777 == 0o600
    again = FileLedger(file)
    assert await again.cpu_seconds(ME, DAY) == 2.5
    assert await again.cpu_seconds("key:2", DAY) == 0.0
    await again.close()


@on_loop
@pytest.mark.parametrize("content", [b"", b"{", b'{"day": 1, "seconds": {}}', b"\xff"])
async def test_a_damaged_file_is_none_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = tmp_path / "cpu.json"
    file.write_bytes(content)
    ledger = FileLedger(file)
    assert await ledger.cpu_seconds(ME, DAY) == 0.0
    assert "is damaged" in caplog.text
    ledger.add(ME, DAY, 1.0)
    await ledger.close()
    assert await FileLedger(file).cpu_seconds(ME, DAY) == 1.0


@on_loop
async def test_a_file_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = FileLedger(tmp_path / "gone" / "cpu.json")
    ledger.add(ME, DAY, 1.0)
    await ledger.close()
    assert await ledger.cpu_seconds(ME, DAY) == 1.0
    assert "in memory alone" in caplog.text


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def node(server: RedisServer, clock: Clock | None = None) -> AsyncIterator[RedisLedger]:
    redis = connection(server.url, 5.0)
    ledger = RedisLedger(redis, Breaker(5.0, "counting in memory", clock or Clock()))
    try:
        yield ledger
        await ledger.close()
    finally:
        await redis.aclose(close_connection_pool=True)


@on_loop
async def test_nodes_share_a_sum(server: RedisServer) -> None:
    async with node(server) as one:
        one.add(ME, DAY, 1.5)
        assert await one.cpu_seconds(ME, DAY) == 1.5
    async with node(server) as other:
        assert await other.cpu_seconds(ME, DAY) == 1.5
        other.add(ME, DAY, 1.0)
        assert await other.cpu_seconds(ME, DAY) == 2.5
    async with node(server) as third:
        assert await third.cpu_seconds(ME, DAY) == 2.5
        assert await third.cpu_seconds(ME, NEXT) == 0.0


@on_loop
async def test_redis_gone_is_told_afterwards(server: RedisServer) -> None:
    clock = Clock()
    async with node(server, clock) as ledger:
        ledger.add(ME, DAY, 1.5)
        server.kill()
        assert await ledger.cpu_seconds(ME, DAY) == 1.5
        ledger.add(ME, DAY, 1.0)
        assert await ledger.cpu_seconds(ME, DAY) == 2.5
        server.start()
        clock.now += 10.0
    async with node(server) as other:
        assert await other.cpu_seconds(ME, DAY) == 2.5
