"""Identity on a real database, with a clock that a test moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from soulbox_core.identity.identity import Grant, Identity
from soulbox_core.identity.opening import open_identity
from soulbox_core.model import Caller
from soulbox_core.settings import Auth, Database
from soulbox_core.store.opening import open_database

ISSUER = "urn:soulbox:test"
NOW = 1_800_000_000.0
POLICIES = frozenset(("default", "agents"))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class House:
    """What a test needs of it."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self.identity = identity
        self.clock = clock

    async def key(
        self, scopes: tuple[str, ...] = ("execute",), expires_at: float | None = None
    ) -> tuple[str, str]:
        """A new key's id and text."""
        key, text = await self.identity.create_key("mine", scopes, "agents", expires_at)
        return key.id, text

    async def grant(self) -> Grant:
        _, text = await self.key()
        return await self.identity.grant(text, None)

    async def caller(self, credential: str) -> Caller:
        return await self.identity.authenticator.caller(credential)


@asynccontextmanager
async def house(
    directory: Path, settings: Auth | None = None, clock: Clock | None = None
) -> AsyncIterator[House]:
    clock = clock or Clock()
    async with open_database(Database(), directory / "database") as stores:
        identity = await open_identity(
            settings or Auth(), stores.identities, directory, ISSUER, POLICIES, clock
        )
        yield House(identity, clock)
