"""What a caller may use over time: runs at one time, CPU time of a day.

A run reserves all the CPU time that its limit lets it use, and is charged for what it did use.
So what a caller can overshoot is bounded by how late the kernel stops a program, and by the
compile steps of its runs, which are charged and not reserved. The alternative, to lower the limit
of a run to what is left, would have programs stopped by a limit that nobody asked for.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from time import perf_counter
from typing import Protocol

from soulbox_core.errors import QuotaExceeded
from soulbox_core.model import Limits
from soulbox_core.service.policy import Policy


class Ledger(Protocol):
    """Knows what callers used. Days are UTC, as 2026-11-25."""

    async def cpu_seconds(self, caller: str, day: str) -> float:
        """Seconds of CPU time that a caller used on a day."""

    def add(self, caller: str, day: str, seconds: float) -> None:
        """Charge a caller, at once for `cpu_seconds`."""


class Allotment:
    """What one run may take, and took."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began_at: float | None = None
        self._used: float | None = None
        self._extra = 0.0

    def begin(self) -> None:
        """It got its turn."""
        self._began_at = perf_counter()

    def prepared(self, cpu_seconds: float) -> None:
        """What came before the program took this."""
        self._extra += cpu_seconds

    def end(self, cpu_seconds: float) -> None:
        """It took this, and no more."""
        self._used = cpu_seconds

    @property
    def cpu_seconds(self) -> float:
        """What it has to pay for.

        One that was cut off pays for all that it can have used, since what it did use went with
        its cell: its time times its cores, within its limit. Else a client that hangs up just
        before the end would pay nothing.
        """
        if self._used is not None:
            return self._used + self._extra
        if self._began_at is None:
            return 0.0
        most = (perf_counter() - self._began_at) * self._limits.cpus
        return min(most, self._limits.cpu_seconds) + self._extra


@dataclass
class _Account:
    """A caller's runs under way."""

    runs: int = 0
    reserved: float = 0.0
    """CPU-seconds that they may use."""


class Allotments:
    """Lets each caller run within its policy.

    :param now: the time, with its zone
    """

    def __init__(
        self, ledger: Ledger, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._accounts: dict[str, _Account] = defaultdict(_Account)

    @asynccontextmanager
    async def taken(self, caller: str, policy: Policy, limits: Limits) -> AsyncIterator[Allotment]:
        """Count a run, waiting included, for the time of the context; then charge for it.

        :raises QuotaExceeded: its caller has no more to use
        """
        allotment = Allotment(limits)
        if not policy.concurrent and not policy.cpu_seconds_per_day:
            yield allotment
            return
        account = self._accounts[caller]
        if policy.concurrent and account.runs >= policy.concurrent:
            raise QuotaExceeded(
                f"you have {account.runs} runs at one time, which is all you may have; wait for"
                " one to end"
            )
        account.runs += 1
        account.reserved += limits.cpu_seconds
        try:
            if policy.cpu_seconds_per_day:
                await self._check(caller, policy.cpu_seconds_per_day, limits.cpu_seconds)
            yield allotment
        finally:
            account.runs -= 1
            account.reserved -= limits.cpu_seconds
            if not account.runs:
                del self._accounts[caller]
            if policy.cpu_seconds_per_day and allotment.cpu_seconds > 0:
                self._ledger.add(caller, self._day(), allotment.cpu_seconds)

    async def _check(self, caller: str, most: float, asked: float) -> None:
        # The run is in the sum of what is reserved already: then no other can get in between.
        used = await self._ledger.cpu_seconds(caller, self._day())
        left = most - used
        if left <= 0:
            raise QuotaExceeded(
                f"your {most:g} seconds of CPU time for today are used up; they come back at"
                " midnight UTC",
                retry_after_seconds=self._until_midnight(),
            )
        if asked > left:
            raise QuotaExceeded(
                f"of your {most:g} seconds of CPU time for today {left:.3g} are left, and this"
                f" run may use {asked:g}; ask for less as limits.cpu_seconds",
                retry_after_seconds=self._until_midnight(),
            )
        others = self._accounts[caller].reserved - asked
        if others + asked > left:
            raise QuotaExceeded(
                f"of your {most:g} seconds of CPU time for today {left:.3g} are left, of which"
                f" your runs under way may use {others:.3g}; wait for one to end, or ask for less"
                " as limits.cpu_seconds"
            )

    def _day(self) -> str:
        return self._now().astimezone(UTC).date().isoformat()

    def _until_midnight(self) -> int:
        now = self._now().astimezone(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return max(1, ceil((midnight - now).total_seconds()))
