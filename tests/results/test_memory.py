"""The level in memory: through aiocache's interface, within its bytes, the least used first out."""

import pytest

from soulbox_core.results.counts import Counts
from soulbox_core.results.memory import OVERHEAD_BYTES, MemoryLevel
from tests.loop import on_loop
from tests.results.house import Clock

EACH = OVERHEAD_BYTES + 1 + 100


class House:
    def __init__(self, most_bytes: int) -> None:
        self.counts = Counts()
        self.clock = Clock()
        self.memory = MemoryLevel(most_bytes, self.counts, self.clock)

    async def put(self, keys: str, size: int = 100) -> None:
        for key in keys:
            await self.memory.set(key, key.encode() * size, ttl=10.0)

    async def there(self, keys: str) -> str:
        return "".join([key for key in keys if await self.memory.exists(key)])


@on_loop
async def test_what_was_put_there_is_there_for_its_time() -> None:
    house = House(10 * EACH)
    await house.put("a")
    assert await house.memory.get("a") == b"a" * 100
    house.clock.now += 9.9
    assert await house.memory.get("a") == b"a" * 100
    house.clock.now += 0.1
    assert await house.memory.get("a") is None
    assert (house.counts.bytes, house.counts.entries) == (0, 0)


@on_loop
async def test_the_least_recently_used_makes_room() -> None:
    house = House(3 * EACH)
    await house.put("abc")
    assert (house.counts.bytes, house.counts.entries) == (3 * EACH, 3)
    await house.memory.get("a")
    await house.put("d")
    assert await house.there("abcd") == "acd"
    assert (house.counts.bytes, house.counts.entries, house.counts.evicted) == (3 * EACH, 3, 1)
    await house.put("e", 101)  # one byte too many
    assert house.counts.entries == 2
    assert house.counts.bytes == 2 * EACH + 1


@on_loop
async def test_what_does_not_fit_at_all_pushes_nothing_out() -> None:
    house = House(3 * EACH)
    await house.put("abc")
    assert not await house.memory.set("d", b"d" * 3 * EACH, ttl=10.0)
    assert await house.there("abcd") == "abc"
    assert not await house.memory.set("a", b"a" * 3 * EACH, ttl=10.0)
    assert await house.there("abc") == "bc"  # what was there under its name is gone
    assert house.counts.bytes == 2 * EACH


@on_loop
async def test_a_bound_of_nothing_keeps_nothing() -> None:
    house = House(0)
    await house.put("a")
    assert await house.there("a") == ""


@on_loop
async def test_what_is_put_again_counts_once() -> None:
    house = House(3 * EACH)
    await house.put("aaaa")
    assert (house.counts.bytes, house.counts.entries) == (EACH, 1)
    assert await house.memory.delete("a") == 1
    assert await house.memory.delete("a") == 0
    assert (house.counts.bytes, house.counts.entries) == (0, 0)


@on_loop
async def test_it_forgets_by_the_start_of_keys_or_all() -> None:
    house = House(10 * EACH)
    for key in ("aa", "ab", "ba"):
        await house.memory.set(key, b"", ttl=10.0)
    assert house.memory.forget("a") == {"aa", "ab"}
    assert house.memory.forget("a") == set()
    assert house.counts.entries == 1
    await house.memory.clear()
    assert (house.counts.bytes, house.counts.entries) == (0, 0)


@on_loop
async def test_the_bound_holds_whatever_comes() -> None:
    house = House(5 * EACH)
    for size in range(0, 2500, 37):
        await house.put("abcdefghij"[size % 10], size)
        assert house.counts.bytes <= 5 * EACH
    held = [await house.memory.get(key) for key in "abcdefghij"]
    exact = sum(len(value) + 1 + OVERHEAD_BYTES for value in held if value is not None)
    assert exact == house.counts.bytes


@pytest.mark.parametrize("method", ["increment", "expire"])
@on_loop
async def test_what_it_is_not_asked_for_it_does_not_do(method: str) -> None:
    with pytest.raises(NotImplementedError):
        await getattr(House(EACH).memory, method)("a", 1)
