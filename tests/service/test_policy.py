import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.errors import InvalidRequest, LimitAboveCeiling
from soulbox_core.model import Limits
from soulbox_core.service.policy import FLOOR, Policy
from soulbox_core.settings import LimitSettings

NAMES = Limits.__struct_fields__
SETTINGS = LimitSettings()
POLICY = Policy(SETTINGS.default, SETTINGS.ceiling)


def of(limits: Limits) -> dict[str, float]:
    return {name: getattr(limits, name) for name in NAMES}


def test_unasked_is_the_default() -> None:
    assert POLICY.limits({}) == SETTINGS.default


@pytest.mark.parametrize("name", NAMES)
def test_the_ceiling_may_be_asked_for_and_no_more(name: str) -> None:
    ceiling = getattr(SETTINGS.ceiling, name)
    limits = POLICY.limits({name: float(ceiling)})
    assert of(limits) == of(SETTINGS.default) | {name: ceiling}
    assert type(getattr(limits, name)) is type(ceiling)
    with pytest.raises(LimitAboveCeiling) as refusal:
        POLICY.limits({name: ceiling + 1})
    assert refusal.value.field == f"limits.{name}"
    assert refusal.value.ceiling == ceiling


@pytest.mark.parametrize("name", NAMES)
def test_the_floor_may_be_asked_for_and_no_less(name: str) -> None:
    floor = getattr(FLOOR, name)
    assert getattr(POLICY.limits({name: floor}), name) == floor
    with pytest.raises(InvalidRequest, match=f"{name} = .* is too small"):
        POLICY.limits({name: math.nextafter(floor, 0)})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, -0.0, math.nan, math.inf, -math.inf, 10**400, -(10**400)])
def test_no_limit_can_be_switched_off(name: str, value: float) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        POLICY.limits({name: value})
    assert refusal.value.field == f"limits.{name}"


def test_a_part_of_a_process_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="processes must be a whole number"):
        POLICY.limits({"processes": 1.5})


def test_an_unknown_limit_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match=r"no limit 'memory'; known: memory_bytes, "):
        POLICY.limits({"memory": 1})


def test_a_caller_s_low_ceiling_is_its_default_too() -> None:
    caller = Policy(Limits(wall_seconds=15.0), Limits(wall_seconds=2.0))
    assert caller.limits({}).wall_seconds == 2.0
    assert caller.limits({"wall_seconds": 1.0}).wall_seconds == 1.0
    with pytest.raises(LimitAboveCeiling, match="above the ceiling of 2"):
        caller.limits({"wall_seconds": 3.0})


numbers = st.one_of(st.floats(), st.integers())
asked_limits = st.dictionaries(st.sampled_from([*NAMES, "nonsense"]), numbers, max_size=4)


@given(asked_limits)
def test_whatever_is_asked_comes_within_the_bounds_or_is_refused(asked: dict[str, Any]) -> None:
    try:
        limits = POLICY.limits(asked)
    except (InvalidRequest, LimitAboveCeiling):
        return
    for name in NAMES:
        value = getattr(limits, name)
        assert type(value) is type(getattr(FLOOR, name))
        assert getattr(FLOOR, name) <= value <= getattr(SETTINGS.ceiling, name)
        assert value == asked.get(name, getattr(SETTINGS.default, name))
