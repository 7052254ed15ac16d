"""API keys: made, shown once, known again by their hash."""

import hashlib
import hmac
import re
from collections.abc import Callable
from secrets import token_hex, token_urlsafe

import msgspec

from soulbox_core.errors import Unauthenticated
from soulbox_core.store.port import Store
from soulbox_core.store.records import ApiKey

PREFIX = "sbx_"
_KEY = re.compile(r"sbx_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
_ID_BYTES = 6
_SECRET_BYTES = 32
_NOBODY = "0" * 64


def digest_of(text: str) -> str:
    """SHA-256 in hex, for what holds so many random bits that nobody can guess it."""
    return hashlib.sha256(text.encode()).hexdigest()


class Keys:
    """Every API key, in memory as on disk; there are as many as operators make.

    :param clock: seconds since the epoch
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._keys: dict[str, ApiKey] = {}

    async def load(self) -> None:
        """Read them.

        :raises StoreFailed: the database failed, or a record in it is damaged
        """
        self._keys = {key.id: key for key in await self._store.keys()}

    def __len__(self) -> int:
        return len(self._keys)

    def all(self) -> tuple[ApiKey, ...]:
        """Every key, those revoked and expired too, in the order in which they were made."""
        return tuple(self._keys.values())

    def usable(self, id: str) -> ApiKey | None:
        """The key of that id, if who has it is let in."""
        key = self._keys.get(id)
        return key if key is not None and key.usable(self._clock()) else None

    def of(self, text: str) -> ApiKey:
        """The key that somebody shows.

        :raises Unauthenticated: there is none like it, or it was revoked, or expired
        """
        match = _KEY.fullmatch(text)
        key = None if match is None else self.usable(match[1])
        # Compared in any case, and in constant time, so that time tells nothing of which ids exist.
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
        await self._put(key)
        return key, text

    async def revoke(self, id: str) -> ApiKey | None:
        """Make a key worthless from now on; None if there is none of that id."""
        key = self._keys.get(id)
        if key is None or key.revoked_at is not None:
            return key
        key = msgspec.structs.replace(key, revoked_at=self._clock())
        self._keys[id] = key  # first: if it cannot be written, it is still of no use here
        await self._put(key)
        return key

    async def _put(self, key: ApiKey) -> None:
        await self._store.put_key(key)
        self._keys[key.id] = key
