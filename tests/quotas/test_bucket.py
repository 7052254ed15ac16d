"""The arithmetic, held against a bucket that really is filled token by token."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.quotas.bucket import SECOND, Terms, standing, take, terms
from soulbox_core.settings import Rate


class Filled:
    """A bucket as one would explain it: it starts full, and gets a part of a token all the time."""

    def __init__(self, of: Terms) -> None:
        self._of = of
        self._tokens = Fraction(of.burst)
        self._at = 0

    def take(self, now: int) -> bool:
        gained = Fraction(now - self._at, self._of.interval)
        self._tokens = min(self._tokens + gained, Fraction(self._of.burst))
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def remaining(self) -> int:
        return int(self._tokens)


@given(st.integers(1, 10**12), st.integers(1, 50), st.lists(st.integers(0, 10**13), max_size=200))
def test_it_lets_in_exactly_what_a_bucket_would(
    interval: int, burst: int, pauses: list[int]
) -> None:
    of = Terms(interval=interval, burst=burst)
    model, full_at, now = Filled(of), 0, 0
    for pause in pauses:
        now += pause
        allowed = model.take(now)
        full_at, missing = take(full_at, now, of)
        assert allowed is (missing == 0)
        told = standing(full_at, now, missing, of, "x")
        assert told.remaining == model.remaining()
        assert told.allowed is allowed
        if missing:
            assert not take(full_at, now + missing, of)[1]
            assert take(full_at, now + missing - 1, of)[1]


def test_a_week_of_thirds_of_a_second_loses_nothing() -> None:
    of = terms(Rate(requests_per_second=3.0, burst=1))
    full_at, let_in = 0, 0
    for number in range(3 * 7 * 86400):
        full_at, missing = take(full_at, number * SECOND // 3 + 1, of)
        let_in += not missing
    assert let_in == 3 * 7 * 86400


@pytest.mark.parametrize(
    ("rate", "interval"), [(0.5, 2 * SECOND), (3.0, 333_333_333), (1e12, 1), (0.001, 1000 * SECOND)]
)
def test_a_rate_is_an_interval(rate: float, interval: int) -> None:
    assert terms(Rate(requests_per_second=rate)).interval == interval


def test_it_says_how_it_stands() -> None:
    of = Terms(interval=SECOND, burst=4)
    full_at, missing = take(0, 0, of)
    told = standing(full_at, 0, missing, of, "caller")
    assert (told.share, told.limit, told.window_seconds) == ("caller", 4, 4.0)
    assert (told.remaining, told.reset_seconds, told.retry_after_seconds) == (3, 1.0, 0.0)


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    of = terms(Rate(requests_per_second=1.0, burst=3))
    full_at, missing = take(1_000_000 * SECOND, 0, of)
    told = standing(full_at, 0, missing, of, "x")
    assert (told.allowed, told.remaining, told.retry_after_seconds) == (False, 0, 1.0)
    assert not take(full_at, SECOND, of)[1]
