from collections.abc import Mapping

import pytest

from soulbox_core.errors import Forbidden, RateLimited, Unauthenticated
from soulbox_core.model import Caller, Standing
from soulbox_core.scopes import ADMIN, EXECUTE, METRICS
from soulbox_core.service.gate import Gate
from soulbox_core.service.policy import Policies
from soulbox_core.settings import PolicySettings, Rate, Rates, Settings
from tests.loop import on_loop

HOME = "192.0.2.7"
SETTINGS = Settings(
    rates=Rates(
        total=Rate(requests_per_second=100.0), address=Rate(requests_per_second=1.0, burst=2)
    ),
    policies={"agents": PolicySettings(rate=Rate(requests_per_second=5.0))},
)
CALLERS = {
    "good": Caller(id="key:1", scopes=frozenset((EXECUTE,))),
    "agent": Caller(id="key:2", scopes=frozenset((EXECUTE,)), policy="agents"),
    "boss": Caller(id="key:3", scopes=frozenset((ADMIN,))),
    "idle": Caller(id="key:4", scopes=frozenset()),
    "lost": Caller(id="key:5", scopes=frozenset((EXECUTE,)), policy="gone"),
}


class Known:
    """Knows callers by their names."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = callers

    async def caller(self, credential: str) -> Caller:
        if credential not in self._callers:
            raise Unauthenticated
        return self._callers[credential]


class Buckets:
    """Remembers what was taken; those that are named empty hold nothing."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.empty: set[str] = set()

    async def take(self, name: str, rate: Rate, share: str) -> Standing:
        self.taken.append((name, share))
        allowed = name not in self.empty
        return Standing(
            share=share,
            limit=rate.burst,
            window_seconds=rate.burst / rate.requests_per_second,
            remaining=3 if allowed else 0,
            reset_seconds=1.5,
            allowed=allowed,
            retry_after_seconds=0.0 if allowed else 0.25,
        )


class House:
    def __init__(self, *, authenticated: bool = True, settings: Settings = SETTINGS) -> None:
        self.buckets = Buckets()
        authenticator = Known(CALLERS) if authenticated else None
        self.gate = Gate(authenticator, self.buckets, Policies(settings), settings.rates)


@on_loop
async def test_a_caller_comes_in_and_takes_from_its_own_bucket_and_from_that_of_all() -> None:
    house = House()
    entry = await house.gate.enter("agent", HOME, EXECUTE)
    assert entry.caller == CALLERS["agent"]
    assert house.buckets.taken == [("caller:key:2", "caller"), ("total", "total")]
    assert [standing.share for standing in entry.standings] == ["caller", "total"]


@on_loop
async def test_without_a_rate_no_bucket_is_asked() -> None:
    house = House(settings=Settings())
    assert (await house.gate.enter("good", HOME, EXECUTE)).standings == ()
    assert house.buckets.taken == []


@on_loop
async def test_an_admin_may_do_everything() -> None:
    house = House()
    for scope in (EXECUTE, ADMIN):
        assert (await house.gate.enter("boss", HOME, scope)).caller == CALLERS["boss"]


@on_loop
@pytest.mark.parametrize(("name", "scope"), [("good", ADMIN), ("idle", EXECUTE)])
async def test_a_credential_without_the_scope_is_forbidden(name: str, scope: str) -> None:
    with pytest.raises(Forbidden, match=f"with the scope '{scope}'"):
        await House().gate.enter(name, HOME, scope)


@on_loop
async def test_a_policy_that_is_gone_forbids() -> None:
    with pytest.raises(Forbidden, match="does not exist here"):
        await House().gate.enter("lost", HOME, EXECUTE)


@on_loop
@pytest.mark.parametrize("credential", [None, "", "stolen"])
async def test_a_wrong_credential_costs_its_address_a_token(credential: str | None) -> None:
    house = House()
    with pytest.raises(Unauthenticated):
        await house.gate.enter(credential, HOME, EXECUTE)
    assert house.buckets.taken == [(f"address:{HOME}", "address")]


@on_loop
async def test_guessing_ends_when_the_address_has_no_tokens_left() -> None:
    house = House()
    house.buckets.empty.add(f"address:{HOME}")
    with pytest.raises(RateLimited):
        await house.gate.enter("stolen", HOME, EXECUTE)
    assert (await house.gate.enter("good", HOME, EXECUTE)).caller == CALLERS["good"]


@on_loop
@pytest.mark.parametrize("empty", ["caller:key:2", "total"])
async def test_an_empty_bucket_lets_nobody_in(empty: str) -> None:
    house = House()
    house.buckets.empty.add(empty)
    with pytest.raises(RateLimited, match=r"after a burst of 100; wait 0\.25 s") as refusal:
        await house.gate.enter("agent", HOME, EXECUTE)
    assert refusal.value.retry_after_seconds == 1
    assert refusal.value.standing.share == empty.partition(":")[0]


@on_loop
async def test_where_nobody_need_prove_who_they_are_callers_are_addresses() -> None:
    house = House(authenticated=False)
    entry = await house.gate.enter("whatever", HOME, EXECUTE)
    scopes = frozenset((EXECUTE, METRICS))
    assert entry.caller == Caller(id=f"address:{HOME}", scopes=scopes)
    with pytest.raises(Forbidden):
        await house.gate.enter(None, HOME, ADMIN)


@on_loop
async def test_open_paths_take_from_the_address() -> None:
    house = House()
    (standing,) = await house.gate.pass_by(HOME)
    assert standing.share == "address"
    house.buckets.empty.add(f"address:{HOME}")
    with pytest.raises(RateLimited):
        await house.gate.pass_by(HOME)
