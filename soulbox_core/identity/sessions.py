"""Refresh tokens: each is good once, and brings its successor."""

import re
from collections.abc import Callable
from secrets import token_hex, token_urlsafe

import msgspec

from soulbox_core.errors import Unauthenticated
from soulbox_core.identity.freshness import Freshness, Memory
from soulbox_core.identity.keys import digest_of
from soulbox_core.store.port import Store
from soulbox_core.store.records import ApiKey, Family

PREFIX = "sbr_"
MOST_OF_A_KEY = 100
"""Families of one key at one time; one more, and the oldest is revoked."""

_TOKEN = re.compile(r"sbr_([0-9a-f]{32})_[A-Za-z0-9_-]{43}", re.ASCII)
_ID_BYTES = 16
_SECRET_BYTES = 32
_REMEMBERED = 10_000


class Sessions:
    """Families of refresh tokens (RFC 9700 section 4.14.2).

    A token that comes a second time was copied by somebody, and nobody can tell who is the thief:
    the whole family is revoked, with its access tokens. That also ends a client that sends a
    refresh twice because it did not hear the first answer; it has its key to begin anew.

    :param seconds: how long a family lives, however often it is refreshed
    :param clock: seconds since the epoch
    :param freshness: how old what is known of one may be; None where nobody else writes
    """

    def __init__(
        self,
        store: Store,
        seconds: float,
        clock: Callable[[], float],
        freshness: Freshness | None = None,
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._seen: Memory[Family] = Memory(
            store.family_of_session, freshness, clock, most=_REMEMBERED
        )

    async def begin(self, key: ApiKey, scopes: tuple[str, ...]) -> tuple[Family, str]:
        """Begin a family.

        :return: it, and its first refresh token
        """
        now = self._clock()
        await self._store.forget_families(now)
        older = await self._store.families_of(key.id)
        for family in older[: max(0, len(older) - MOST_OF_A_KEY + 1)]:
            await self._revoke(family)
        id = token_hex(_ID_BYTES)
        token = _token(id)
        family = Family(
            id=id,
            session=token_hex(_ID_BYTES),
            key_id=key.id,
            scopes=scopes,
            digest=digest_of(token),
            created_at=now,
            expires_at=now + self._seconds,
        )
        await self._store.add_family(family)
        return family, token

    async def of(self, token: str) -> Family:
        """The family of a refresh token, also of one that was used up.

        :raises Unauthenticated: it is none, or its family is no good any more
        """
        match = _TOKEN.fullmatch(token)
        family = None if match is None else await self._store.family(match[1])
        if family is None or not family.usable(self._clock()):
            raise Unauthenticated
        return family

    async def refresh(self, family: Family, token: str) -> str:
        """Use a refresh token of a family up.

        :return: the next token
        :raises Unauthenticated: it is not the good one; if it was used before, or is made up, the
            family is revoked
        """
        successor = _token(family.id)
        if not await self._store.rotate(family.id, digest_of(token), digest_of(successor)):
            await self._revoke(family)
            raise Unauthenticated
        return successor

    async def end(self, token: str) -> None:
        """Revoke the family of a refresh token, also of one that was used up.

        :raises Unauthenticated: it is none
        """
        await self._revoke(await self.of(token))

    async def end_session(self, session: str) -> None:
        """Revoke the family by the name that access tokens have for it."""
        family = await self.alive(session)
        if family is not None:
            await self._revoke(family)

    async def end_all(self, key_id: str) -> None:
        """Revoke every family of a key."""
        for family in await self._store.families_of(key_id):
            await self._revoke(family)

    async def alive(self, session: str) -> Family | None:
        """The family that an access token names, unless it was revoked or is over.

        :raises StoreFailed: nobody can tell
        """
        family = await self._seen.find(session)
        return family if family is not None and family.usable(self._clock()) else None

    async def _revoke(self, family: Family) -> None:
        revoked = msgspec.structs.replace(family, revoked_at=self._clock())
        self._seen.put(family.session, revoked)  # first: here it is of no use even if that fails
        await self._store.revoke_family(family.id, self._clock())


def _token(id: str) -> str:
    return f"{PREFIX}{id}_{token_urlsafe(_SECRET_BYTES)}"
