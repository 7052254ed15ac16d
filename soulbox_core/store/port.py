"""What the service asks of its database."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from soulbox_core.model import Value
from soulbox_core.store.records import (
    ApiKey,
    Execution,
    ExecutionQuery,
    Family,
    UsageOfDay,
)


class Store(Protocol):
    """Keeps who callers are. What a method has returned from is on disk, and read from the
    primary: what was revoked is revoked.

    :raises StoreFailed: from every method: the database failed, or a record in it is damaged
    """

    async def key(self, id: str) -> ApiKey | None:
        """Find an API key by its id."""

    async def keys(self) -> tuple[ApiKey, ...]:
        """Every API key, revoked ones too."""

    async def put_key(self, key: ApiKey) -> None:
        """Keep a key, in place of the one with its id if there is one."""

    async def put_first_key(self, key: ApiKey) -> bool:
        """Keep a key if there is none at all, at one stroke; whether there was none."""

    async def add_family(self, family: Family) -> None:
        """Keep a new family."""

    async def family(self, id: str) -> Family | None:
        """Find a family by its id."""

    async def family_of_session(self, session: str) -> Family | None:
        """Find a family by the name that access tokens have for it."""

    async def families_of(self, key_id: str) -> tuple[Family, ...]:
        """The families of a key that were not revoked, the oldest first."""

    async def rotate(self, id: str, digest: str, successor: str) -> bool:
        """Put the digest of a new refresh token in place of an old one, at one stroke.

        :return: False if the old one was not the good one, or the family was revoked: nothing
            has changed then
        """

    async def revoke_family(self, id: str, at: float) -> None:
        """Make a family's tokens worthless. One that is not there stays away."""

    async def forget_families(self, before: float) -> None:
        """Drop the families that expired before a time."""


class Executions(Protocol):
    """Keeps the records of runs.

    :raises StoreFailed: from every method: the database failed, or a record in it is damaged
    """

    async def add(self, batch: str, executions: Sequence[Execution]) -> None:
        """Keep records, and add them to their callers' usage, all at one stroke and once for each
        name of a batch: a batch that is known already changes nothing."""

    async def execution(self, id: str) -> Execution | None:
        """Find a record by its id."""

    async def executions(self, query: ExecutionQuery) -> tuple[Execution, ...]:
        """The records that are asked for, the newest first, without their content. What was kept
        a moment ago may not be among them where they are read from a replica."""

    async def usage(self, caller: str, since: str, until: str) -> tuple[UsageOfDay, ...]:
        """What a caller used from one day to another, both included, for the days on which there
        was anything."""

    async def forget(self, before: float) -> int:
        """Drop the records of runs that were accepted before a time; how many. Usage stays."""


class Health(Value):
    """How the database is."""

    primary: bool
    """Whether it answered when it was last asked."""
    replicas: tuple[bool, ...] = ()
    """Whether each of them did."""


class Dump(Protocol):
    """Everything that is kept, for a backup.

    :raises StoreFailed: from every method: the database failed, or a record in it is damaged
    """

    def rows(self) -> AsyncIterator[tuple[str, dict[str, object]]]:
        """Every record of every table but the schema's own, as plain JSON values with their `id`,
        by the name of the table."""

    async def put(self, table: str, rows: Sequence[dict[str, object]]) -> None:
        """Keep records of a table as `rows` gave them, in place of those with their ids.

        :raises InvalidRequest: there is no such table, or a record is not what the table holds
        """
