"""Databases to write records to: an honest one that can be gone, or refuse."""

from collections.abc import Sequence

from soulbox_core.errors import StoreFailed
from soulbox_core.store.records import Execution, ExecutionQuery, UsageOfDay


class Database:
    """`store.port.Executions` in memory, which takes each batch once, and can be switched off."""

    def __init__(self) -> None:
        self.up = True
        self.forgetful = False
        """Takes what it gets, and fails to say so."""
        self.batches: dict[str, tuple[Execution, ...]] = {}
        self.asked = 0
        self.forgot: list[float] = []

    @property
    def ids(self) -> list[str]:
        return [each.id for batch in self.batches.values() for each in batch]

    async def add(self, batch: str, executions: Sequence[Execution]) -> None:
        self.asked += 1
        if not self.up:
            raise StoreFailed("the database is gone")
        self.batches.setdefault(batch, tuple(executions))
        if self.forgetful:
            raise StoreFailed("the database gave no answer")

    async def execution(self, id: str) -> Execution | None:
        return next((each for b in self.batches.values() for each in b if each.id == id), None)

    async def executions(self, query: ExecutionQuery) -> tuple[Execution, ...]:
        raise NotImplementedError("a journal only writes")

    async def usage(self, caller: str, since: str, until: str) -> tuple[UsageOfDay, ...]:
        raise NotImplementedError("a journal only writes")

    async def forget(self, before: float) -> int:
        if not self.up:
            raise StoreFailed("the database is gone")
        self.forgot.append(before)
        return 1
