import pytest

from soulbox_core.api.hold import Hold, Share
from soulbox_core.errors import Overloaded, SettingsError
from soulbox_core.settings import load


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


def test_what_is_given_back_is_there_for_others() -> None:
    hold = Hold(10)
    with hold.share() as one, hold.share() as two:
        one.take(8)
        one.give(5)
        two.take(7)
        assert hold.held_bytes == 10
    assert hold.held_bytes == 0


def test_an_answer_takes_the_place_of_its_request() -> None:
    hold = Hold(10)
    with hold.share() as share:
        share.take(8)
        share.become(9)
        assert hold.held_bytes == 9
        with pytest.raises(Overloaded):
            share.become(11)
        assert hold.held_bytes == 0


def test_settings_under_which_no_run_would_fit_are_refused() -> None:
    flags = ["server.request_bytes=1048576", "server.held_bytes=2097152"]
    with pytest.raises(SettingsError, match=r"server\.held_bytes must be at least"):
        load(flags=flags)
    load(flags=[*flags, "limits.ceiling.output_bytes=1048576"])
