"""A token bucket, as arithmetic: one number that says when it is full again.

The generic cell rate algorithm (ITU-T I.371, annex A.2) in its virtual scheduling form. A bucket
that holds `burst` tokens and gets one each `interval` is told by the time at which it will be
full, and nothing has to run for it to fill. Times are whole nanoseconds, so nothing accumulates
that a float would lose.

Our own, since pyrate-limiter 4.5 does not say how many tokens are left, knows the time to a
millisecond and by each node's own clock, and keeps an object for each name for ever.
"""

from soulbox_core.model import Standing, Value
from soulbox_core.settings import Rate

SECOND = 1_000_000_000


class Terms(Value):
    """A rate as the arithmetic wants it."""

    interval: int
    """Nanoseconds from one token to the next."""
    burst: int

    @property
    def window(self) -> int:
        """Nanoseconds from empty to full."""
        return self.interval * self.burst


def terms(rate: Rate) -> Terms:
    """Of a rate that is one: more than no requests a second. The interval is rounded to whole
    nanoseconds, which makes a rate of 1,000 a second or less wrong by a millionth at most."""
    return Terms(interval=max(1, round(SECOND / rate.requests_per_second)), burst=rate.burst)


def take(full_at: int, now: int, of: Terms) -> tuple[int, int]:
    """Take a token, if there is one.

    A time later than an empty bucket's is taken for that: it comes from other terms under the
    same name, or from a clock that was set back, and nobody should wait for the rest of it.

    :param full_at: when the bucket will be full, or when it was
    :return: the same afterwards, and the nanoseconds until there is a token, 0 if one was taken
    """
    full_at = min(max(full_at, now), now + of.window)
    missing = full_at + of.interval - now - of.window
    return (full_at, missing) if missing > 0 else (full_at + of.interval, 0)


def standing(full_at: int, now: int, missing: int, of: Terms, share: str) -> Standing:
    """How a caller stands who has just tried."""
    filling = full_at - now
    return Standing(
        share=share,
        limit=of.burst,
        window_seconds=of.window / SECOND,
        remaining=(of.window - filling) // of.interval,
        reset_seconds=filling / SECOND,
        allowed=not missing,
        retry_after_seconds=missing / SECOND,
    )
