"""Nodes of one service on one database, which a test can switch off."""

import asyncio
from collections import Counter
from pathlib import Path

import msgspec

from soulbox_core.errors import StoreFailed
from soulbox_core.identity.freshness import Freshness
from soulbox_core.identity.opening import open_identity
from soulbox_core.settings import Auth
from soulbox_core.store.port import Store
from soulbox_core.store.records import ApiKey, Family
from tests.identity.house import ISSUER, POLICIES, Clock, House

FRESH = 5.0
GRACE = 300.0
FRESHNESS = Freshness(fresh_seconds=FRESH, grace_seconds=GRACE)


class SharedStore:
    """`Store` in memory. It counts what it is asked, and answers when it is let."""

    def __init__(self) -> None:
        self.down = False
        self.failing: set[str] = set()
        """What it does not answer although it is not down."""
        self.open = asyncio.Event()
        self.open.set()
        self.asked: Counter[str] = Counter()
        self.rows: dict[str, ApiKey] = {}
        self.families: dict[str, Family] = {}

    async def key(self, id: str) -> ApiKey | None:
        found = self.rows.get(id)
        await self._turn("key")
        return found

    async def keys(self) -> tuple[ApiKey, ...]:
        await self._turn("keys")
        return tuple(self.rows.values())

    async def put_key(self, key: ApiKey) -> None:
        await self._turn("put_key")
        self.rows[key.id] = key

    async def put_first_key(self, key: ApiKey) -> bool:
        await self._turn("put_first_key")
        if self.rows:
            return False
        self.rows[key.id] = key
        return True

    async def add_family(self, family: Family) -> None:
        await self._turn("add_family")
        self.families[family.id] = family

    async def family(self, id: str) -> Family | None:
        await self._turn("family")
        return self.families.get(id)

    async def family_of_session(self, session: str) -> Family | None:
        await self._turn("family_of_session")
        found = [each for each in self.families.values() if each.session == session]
        return found[0] if found else None

    async def families_of(self, key_id: str) -> tuple[Family, ...]:
        await self._turn("families_of")
        return tuple(
            each
            for each in self.families.values()
            if each.key_id == key_id and each.revoked_at is None
        )

    async def rotate(self, id: str, digest: str, successor: str) -> bool:
        await self._turn("rotate")
        family = self.families[id]
        if family.digest != digest or family.revoked_at is not None:
            return False
        self.families[id] = msgspec.structs.replace(family, digest=successor)
        return True

    async def revoke_family(self, id: str, at: float) -> None:
        await self._turn("revoke_family")
        family = self.families.get(id)
        if family is not None and family.revoked_at is None:
            self.families[id] = msgspec.structs.replace(family, revoked_at=at)

    async def forget_families(self, before: float) -> None:
        await self._turn("forget_families")

    def lookups(self) -> int:
        """How often it was asked for a key or a session."""
        return self.asked["key"] + self.asked["family_of_session"]

    async def _turn(self, what: str) -> None:
        self.asked[what] += 1
        await self.open.wait()
        if self.down or what in self.failing:
            raise StoreFailed("it is down")


async def node(
    store: Store,
    directory: Path,
    clock: Clock,
    freshness: Freshness | None = FRESHNESS,
) -> House:
    """Identity on that database.

    :param directory: where its signing keys are
    """
    identity = await open_identity(
        Auth(), store, directory, ISSUER, POLICIES, clock, freshness=freshness
    )
    return House(identity, clock)
