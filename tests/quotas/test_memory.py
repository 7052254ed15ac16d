from soulbox_core.quotas.bucket import SECOND
from soulbox_core.quotas.memory import MemoryBuckets
from soulbox_core.settings import Rate

RATE = Rate(requests_per_second=1.0, burst=2)


class Clock:
    def __init__(self) -> None:
        self.now = 10 * SECOND

    def __call__(self) -> int:
        return self.now


class House:
    def __init__(self, most: int = 4) -> None:
        self.clock = Clock()
        self.buckets = MemoryBuckets(most, self.clock)

    def takes(self, name: str, count: int = 1) -> list[bool]:
        return [self.buckets.take(name, RATE, "x").allowed for _ in range(count)]


def test_each_name_has_a_bucket_of_its_own() -> None:
    house = House()
    assert house.takes("a", 3) == [True, True, False]
    assert house.takes("b", 3) == [True, True, False]
    house.clock.now += SECOND
    assert house.takes("a", 2) == [True, False]


def test_full_buckets_are_forgotten() -> None:
    house = House()
    for name in "abcd":
        house.takes(name)
    assert len(house.buckets) == 4
    house.clock.now += SECOND
    house.takes("e")
    assert len(house.buckets) == 1


def test_a_flood_of_names_does_not_fill_an_emptied_bucket() -> None:
    house = House()
    assert house.takes("a", 3) == [True, True, False]
    for number in range(100):
        house.takes(f"flood{number}")
    assert house.takes("a") == [False]


def test_names_beyond_the_bound_share_one_bucket() -> None:
    house = House()
    for name in "abcd":
        house.takes(name)
    assert [house.takes(name) for name in "efg"] == [[True], [True], [False]]
    assert len(house.buckets) == 5
    house.clock.now += 3 * SECOND
    assert house.takes("h", 2) == [True, True]
    assert len(house.buckets) == 1


def test_a_flood_of_one_kind_takes_no_room_from_another() -> None:
    house = House()
    for number in range(100):
        house.buckets.take(f"address{number}", RATE, "address")
    callers = ("a", "b", "c", "d")
    assert [house.takes(name, 3) for name in callers] == [[True, True, False]] * 4
