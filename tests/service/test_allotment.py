import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from soulbox_core.errors import QuotaExceeded
from soulbox_core.model import Limits
from soulbox_core.service.allotment import Allotments
from soulbox_core.service.policy import Policy
from soulbox_core.settings import LimitSettings, PolicySettings
from tests.fakes import Spending
from tests.loop import on_loop

DAY = "2026-11-25"
ME = "key:1"
LIMITS = Limits(cpu_seconds=10.0)


class House:
    def __init__(self, concurrent: int = 0, cpu_seconds_per_day: float = 0.0) -> None:
        limits = LimitSettings()
        settings = PolicySettings(concurrent=concurrent, cpu_seconds_per_day=cpu_seconds_per_day)
        self.policy = Policy(limits.default, limits.ceiling, settings)
        self.ledger = Spending()
        self.now = datetime(2026, 11, 25, 23, 59, 0, tzinfo=UTC)
        self.allotments = Allotments(self.ledger, lambda: self.now)

    async def run(self, used: float, limits: Limits = LIMITS, caller: str = ME) -> None:
        async with self.allotments.taken(caller, self.policy, limits) as allotment:
            allotment.begin()
            allotment.end(used)

    async def refusal(self, limits: Limits = LIMITS) -> QuotaExceeded:
        with pytest.raises(QuotaExceeded) as refusal:
            await self.run(0.0, limits)
        return refusal.value


@on_loop
async def test_without_bounds_nothing_is_counted() -> None:
    house = House()
    await asyncio.gather(*(house.run(1000.0) for _ in range(50)))
    assert house.ledger.seconds == {}


@on_loop
async def test_so_many_runs_at_one_time_for_each_caller() -> None:
    house = House(concurrent=2)
    taken = house.allotments.taken
    async with taken(ME, house.policy, LIMITS), taken(ME, house.policy, LIMITS):
        refusal = await house.refusal()
        assert "you have 2 runs at one time" in refusal.detail
        assert refusal.retry_after_seconds == 1
        await house.run(0.0, caller="key:2")
    await house.run(0.0)


@on_loop
async def test_a_day_s_time_is_used_up_and_comes_back_at_midnight() -> None:
    house = House(cpu_seconds_per_day=15.0)
    await house.run(9.0)
    refusal = await house.refusal()
    assert "6 are left, and this run may use 10" in refusal.detail
    await house.run(6.5, Limits(cpu_seconds=6.0))
    refusal = await house.refusal(Limits(cpu_seconds=0.1))
    assert "are used up" in refusal.detail
    assert refusal.retry_after_seconds == 60
    house.now += timedelta(seconds=60)
    await house.run(1.0)
    assert house.ledger.seconds == {(ME, DAY): 15.5, (ME, "2026-11-26"): 1.0}


@on_loop
async def test_runs_under_way_have_what_they_may_use_set_aside() -> None:
    house = House(cpu_seconds_per_day=25.0)
    taken = house.allotments.taken
    async with taken(ME, house.policy, LIMITS), taken(ME, house.policy, LIMITS):
        assert "your runs under way may use 20" in (await house.refusal()).detail
        await house.run(1.0, Limits(cpu_seconds=5.0))
    await house.run(1.0)


@on_loop
async def test_many_at_once_cannot_take_more_than_there_is() -> None:
    house = House(cpu_seconds_per_day=50.0)
    tries = await asyncio.gather(*(house.run(10.0) for _ in range(20)), return_exceptions=True)
    refused = sum(isinstance(one, QuotaExceeded) for one in tries)
    assert house.ledger.seconds[ME, DAY] == (20 - refused) * 10.0 <= 50.0


@on_loop
async def test_who_is_cut_off_pays_for_what_it_can_have_used() -> None:
    house = House(cpu_seconds_per_day=1000.0)

    async def cut_off() -> None:
        async with house.allotments.taken(ME, house.policy, LIMITS) as allotment:
            allotment.prepared(2.0)
            allotment.begin()
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await cut_off()
    assert 2.0 <= house.ledger.seconds[ME, DAY] <= 12.0


@on_loop
async def test_who_never_got_its_turn_pays_nothing() -> None:
    house = House(cpu_seconds_per_day=1000.0)
    with pytest.raises(asyncio.CancelledError):
        async with house.allotments.taken(ME, house.policy, LIMITS):
            raise asyncio.CancelledError
    assert house.ledger.seconds == {}


@on_loop
async def test_compiling_is_paid_for_too() -> None:
    house = House(cpu_seconds_per_day=1000.0)
    async with house.allotments.taken(ME, house.policy, LIMITS) as allotment:
        allotment.begin()
        allotment.prepared(3.0)
        allotment.end(1.0)
    assert house.ledger.seconds == {(ME, DAY): 4.0}
