import pytest

from soulbox_core.api import budget
from soulbox_core.api.budget import Budget


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(budget, "monotonic", lambda: clock[0])
    return clock


def test_what_it_holds_can_be_spent_and_comes_back_with_time(now: list[float]) -> None:
    purse = Budget(10, 2)
    assert [purse.spend(1) for _ in range(11)] == [True] * 10 + [False]
    now[0] += 1
    assert [purse.spend(1) for _ in range(2)] == [True, False]


def test_after_a_rest_there_is_what_was_left_and_one_filling_more(now: list[float]) -> None:
    purse = Budget(10, 2)
    purse.earn(100)
    now[0] += 1000
    assert sum(purse.spend(1) for _ in range(100)) == 10 + 1 + 10


def test_what_is_earned_can_be_spent(now: list[float]) -> None:
    purse = Budget(1, 0)
    assert purse.spend(1)
    purse.earn(1)
    assert purse.spend(1)
    assert not purse.spend(1)
