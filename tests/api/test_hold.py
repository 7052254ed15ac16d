import pytest

from soulbox_core.api.hold import Hold, Share
from soulbox_core.errors import Overloaded


def test_what_is_held_is_bounded_over_all_requests() -> None:
    hold = Hold(10)
    with hold.share() as one, hold.share() as two:
        one.take(6)
        two.take(4)
        with pytest.raises(Overloaded):
            one.take(1)
        assert hold.held_bytes == 10


def test_a_share_is_given_back_whatever_happened() -> None:
    hold = Hold(10)
    with pytest.raises(Overloaded), hold.share() as share:
        take_too_much(share)
    assert hold.held_bytes == 0


def take_too_much(share: Share) -> None:
    while True:
        share.take(4)
