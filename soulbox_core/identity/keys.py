"""API keys: made, shown once, known again by their hash."""

import hashlib
import hmac
import re
from collections.abc import Callable
from secrets import token_hex, token_urlsafe

import msgspec

from soulbox_core.errors import StoreFailed, Unauthenticated
from soulbox_core.identity.freshness import Freshness, Memory
from soulbox_core.store.port import Store
from soulbox_core.store.records import ApiKey

PREFIX = "sbx_"
_KEY = re.compile(r"sbx_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_ID_BYTES = 6
_SECRET_BYTES = 32
_NOBODY = "0" * 64
_GUESSES = 100
"""Ids that are not known here and are looked up in a second, at most."""


def digest_of(text: str) -> str:
    """SHA-256 in hex, for what holds so many random bits that nobody can guess it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Keys:
    """Every API key, in memory as on disk; there are as many as operators make.

    Where other nodes write to the database, one that is not known is looked up there, and one
    that is known is read again before it is too old.

    :param clock: seconds since the epoch
    :param freshness: how old what is known may be; None where nobody else writes
    """

    def __init__(
        self, store: Store, clock: Callable[[], float], freshness: Freshness | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._alone = freshness is None
        self._keys: Memory[ApiKey] = Memory(store.key, freshness, clock, guesses=_GUESSES)

    async def load(self) -> None:
        """Read them.

        :raises StoreFailed: the database failed, or a record in it is damaged
        """
        read_at = self._clock()
        for key in await self._store.keys():
            self._keys.learn(key.id, key, read_at)

    def __len__(self) -> int:
        return len(self._keys)

    async def all(self) -> tuple[ApiKey, ...]:
        """Every key, those revoked and expired too, in the order in which they were made.

        :raises StoreFailed: other nodes may have made some, and the database does not tell
        """
        if self._alone:
            return self._keys.all()
        read_at = self._clock()
        found = await self._store.keys()
        return tuple(self._keys.learn(key.id, key, read_at) for key in found)

    async def usable(self, id: str) -> ApiKey | None:
        """The key of that id, if who has it is let in.

        :raises StoreFailed: nobody can tell
        """
        key = self._keys.get(id) if self._alone else await self._keys.find(id)
        return key if key is not None and key.usable(self._clock()) else None

    async def of(self, text: str) -> ApiKey:
        """The key that somebody shows.

        :raises Unauthenticated: there is none like it, or it was revoked, or expired
        :raises StoreFailed: nobody can tell
        :raises Overloaded: it is not known here, and too many are shown that are not
        """
        match = _KEY.fullmatch(text)
        key = None if match is None else await self.usable(match[1])
        # Compared in any case, and in constant time, so that it tells nothing of the secret.
        same = hmac.compare_digest(digest_of(text), _NOBODY if key is None else key.digest)
        if key is None or not same:
            raise Unauthenticated
        return key

    def id_in(self, text: str) -> str | None:
        """The id that a key's text has in it, whether or not there is such a key."""
        match = _KEY.fullmatch(text)
        return None if match is None else match[1]

    async def create(
        self, name: str, scopes: tuple[str, ...], policy: str, expires_at: float | None
    ) -> tuple[ApiKey, str]:
        """Make a key.

        :return: what is kept of it, and its text, which nobody can find out again
        """
        key, text = self._new(name, scopes, policy, expires_at)
        await self._store.put_key(key)
        self._keys.put(key.id, key)
        return key, text

    async def create_first(self, name: str, scopes: tuple[str, ...], policy: str) -> str | None:
        """Make a key if there is none at all, on any node; its text."""
        key, text = self._new(name, scopes, policy, None)
        if len(self._keys) or not await self._store.put_first_key(key):
            return None
        self._keys.put(key.id, key)
        return text

    def _new(
        self, name: str, scopes: tuple[str, ...], policy: str, expires_at: float | None
    ) -> tuple[ApiKey, str]:
        id = token_hex(_ID_BYTES)
        text = f"{PREFIX}{id}_{token_urlsafe(_SECRET_BYTES)}"
        key = ApiKey(
            id=id,
            digest=digest_of(text),
            name=name,
            scopes=scopes,
            policy=policy,
            created_at=self._clock(),
            expires_at=expires_at,
        )
        return key, text

    async def revoke(self, id: str) -> ApiKey | None:
        """Make a key worthless from now on; None if there is none of that id.

        :raises StoreFailed: it could not be written, and is worthless on this node alone
        """
        key = await self._kept(id)
        if key is None or key.revoked_at is not None:
            return key
        key = msgspec.structs.replace(key, revoked_at=self._clock())
        self._keys.put(id, key)  # first: if it cannot be written, it is still of no use here
        await self._store.put_key(key)
        return key

    async def _kept(self, id: str) -> ApiKey | None:
        """The key as it is in the database, where a revocation may be that is not known here, or
        may not be that is."""
        known = self._keys.get(id)
        if known is None and self._alone:
            return None
        try:
            key = await self._store.key(id)
        except StoreFailed:
            if known is None or known.revoked_at is not None:
                raise
            return known
        if key is not None and key.revoked_at is not None:
            self._keys.put(id, key)
        return key
