import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.errors import Forbidden, InvalidRequest, LimitAboveCeiling, SettingsError
from soulbox_core.model import Caller, Limits
from soulbox_core.service.policy import FLOOR, Policies, Policy
from soulbox_core.settings import LimitSettings, PolicySettings, Settings
from tests.samples import CALLER, request

NAMES = Limits.__struct_fields__
SETTINGS = LimitSettings()
POLICY = Policy(SETTINGS.default, SETTINGS.ceiling)
VOLUMES = ("datasets/iris", "secrets/iris")


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


def policy(**changes: Any) -> Policy:
    return Policy(SETTINGS.default, SETTINGS.ceiling, PolicySettings(**changes), VOLUMES)


def test_a_policy_lowers_some_ceilings_and_leaves_the_others() -> None:
    lowered = policy(ceiling={"wall_seconds": 2, "processes": 8.0})
    assert lowered.limits({}).wall_seconds == 2.0
    assert lowered.limits({}).processes == 8
    assert type(lowered.limits({}).processes) is int
    assert lowered.limits({"cpus": 4.0}).cpus == 4.0
    with pytest.raises(LimitAboveCeiling):
        lowered.limits({"processes": 9})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ceiling": {"memory": 1}}, "no limit 'memory'; known: memory_bytes"),
        ({"ceiling": {"cpus": 5.0}}, "cpus must be 0.01 to limits.ceiling's 4"),
        ({"ceiling": {"cpus": 0.0}}, "cpus must be 0.01"),
        ({"ceiling": {"cpus": math.nan}}, "cpus must be 0.01"),
        ({"network": ("10.0.0.1",)}, "is an address"),
        ({"network": ("*",)}, "is not a host name"),
        ({"hidden": ("opt/x",)}, "hidden: 'opt/x' is not an absolute"),
        ({"hidden": ("/opt/../etc",)}, "is not an absolute, plain path"),
        ({"hidden": ("/",)}, "is not an absolute, plain path"),
        ({"hidden": ("/proc",)}, "/proc is no path of an image"),
        ({"hidden": ("/box/x",)}, "/box/x is no path of an image"),
    ],
)
def test_a_policy_that_makes_no_sense_stops_the_start(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=r"policies\.agents") as error:
        Policies(Settings(policies={"agents": PolicySettings(**changes)}))
    assert message in str(error.value)


def test_who_names_no_policy_has_the_default_one() -> None:
    usual = Policies(Settings()).of(CALLER)
    usual.check(request(dependencies=("polars",)))
    changed = Policies(Settings(policies={"default": PolicySettings(languages=("py*",))}))
    with pytest.raises(Forbidden, match="you may not run lua here"):
        changed.of(CALLER).check(request())


def test_a_policy_that_is_gone_lets_nobody_run_anything() -> None:
    caller = Caller(id="key:1", scopes=frozenset(("execute",)), policy="gone")
    with pytest.raises(Forbidden, match="your policy 'gone' does not exist here"):
        Policies(Settings()).of(caller)


@pytest.mark.parametrize(
    ("granted", "asked", "field"),
    [
        ({"languages": ("python", "java*")}, {}, "language"),
        ({"dependencies": False}, {"dependencies": ("polars",)}, "dependencies"),
        ({}, {"network": ("example.org",)}, "network.allow"),
        ({"network": ("example.org:443",)}, {"network": ("example.org",)}, "network.allow"),
        ({"network": ("*.example.org",)}, {"network": ("example.org",)}, "network.allow"),
        ({"network": ("a.example.org",)}, {"network": ("*.example.org",)}, "network.allow"),
        ({}, {"mounts": ("datasets/iris",)}, "mounts"),
        ({"mounts": ("datasets/*",)}, {"mounts": ("secrets/iris",)}, "mounts"),
    ],
)
def test_what_is_not_granted_is_refused(
    granted: dict[str, Any], asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(Forbidden) as refusal:
        policy(**granted).check(request(**asked))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("granted", "asked"),
    [
        ({"network": ("example.org",)}, {"network": ("Example.org:443", "example.org:80")}),
        ({"network": ("*.example.org",)}, {"network": ("a.b.example.org", "*.b.example.org")}),
        ({"mounts": ("datasets/*",)}, {"mounts": ("datasets/iris",)}),
    ],
)
def test_what_is_granted_may_be_asked_for(granted: dict[str, Any], asked: dict[str, Any]) -> None:
    policy(**granted).check(request(**asked))


@pytest.mark.parametrize("name", ["datasets/none", "datasets/../control", "datasets/iris/"])
def test_a_volume_that_is_not_there_is_no_matter_of_globs(name: str) -> None:
    with pytest.raises(InvalidRequest, match="there is no volume") as refusal:
        policy(mounts=("*",)).check(request(mounts=(name,)))
    assert refusal.value.field == "mounts"


def test_what_is_no_host_is_no_matter_of_policy() -> None:
    with pytest.raises(InvalidRequest, match="is an address"):
        policy(network=("*.org",)).check(request(network=("0x7f.1",)))
