"""What the service asks of its database."""

from typing import Protocol

from soulbox_core.store.records import ApiKey, Family


class Store(Protocol):
    """Keeps records. What a method has returned from is on disk.

    :raises StoreFailed: from every method: the database failed, or a record in it is damaged
    """

    async def keys(self) -> tuple[ApiKey, ...]:
        """Every API key, revoked ones too."""

    async def put_key(self, key: ApiKey) -> None:
        """Keep a key, in place of the one with its id if there is one."""

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
