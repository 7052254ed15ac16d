"""What can be done about who callers are: the use cases behind `/v1/auth` and `/v1/keys`."""

import logging
from collections.abc import Mapping
from pathlib import Path

from soulbox_core.errors import InvalidRequest, Unauthenticated, shown
from soulbox_core.identity.authenticator import Authenticator
from soulbox_core.identity.keys import Keys
from soulbox_core.identity.sessions import PREFIX, Sessions
from soulbox_core.identity.signing import Signing
from soulbox_core.identity.tokens import Tokens
from soulbox_core.model import Value
from soulbox_core.scopes import ADMIN, EXECUTE, SCOPES, held
from soulbox_core.store.records import ApiKey, Family

logger = logging.getLogger(__name__)

_FIRST = "first"


class Grant(Value):
    """A pair of tokens."""

    access_token: str
    refresh_token: str
    expires_in: float
    """Seconds that the access token is good for."""
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return "Grant(...)"


class Identity:
    """Makes and takes back what callers show.

    :param policies: names that keys may have
    :param first_key: file that holds the first key. Who can read it could as well sign tokens: the
        signing key is beside it
    """

    def __init__(
        self,
        keys: Keys,
        sessions: Sessions,
        signing: Signing,
        tokens: Tokens,
        authenticator: Authenticator,
        *,
        access_seconds: float,
        policies: frozenset[str],
        first_key: Path,
    ) -> None:
        self._keys = keys
        self._sessions = sessions
        self._signing = signing
        self._tokens = tokens
        self._access_seconds = access_seconds
        self._policies = policies
        self.first_key = first_key
        """File with the first key's text, until that is revoked."""
        self.authenticator = authenticator

    async def grant(self, key_text: str, scopes: tuple[str, ...] | None) -> Grant:
        """Trade an API key for tokens.

        :param scopes: fewer than the key's; None for all of them
        :raises Unauthenticated: the key is no good
        :raises InvalidRequest: it does not have these scopes
        """
        key = await self._keys.of(key_text)
        chosen = key.scopes if scopes is None else scopes
        for scope in chosen:
            if scope not in held(key.scopes):
                detail = f"the key does not have the scope {shown(scope)}"
                raise InvalidRequest(detail, field="scope")
        family, refresh = await self._sessions.begin(key, chosen)
        return self._granted(key, family, refresh)

    async def refresh(self, token: str) -> Grant:
        """Trade a refresh token for new tokens; it is worthless then.

        :raises Unauthenticated: it is no good; one that was used before ends its whole family
        """
        family = await self._sessions.of(token)
        # First: who could not be told the successor would have lost both.
        key = await self._keys.usable(family.key_id)
        if key is None:
            raise Unauthenticated
        successor = await self._sessions.refresh(family, token)
        return self._granted(key, family, successor)

    async def revoke(self, token: str) -> None:
        """Revoke a refresh or access token, and all that belong to it. One that is none of ours
        is of no use already (RFC 7009 section 2.2)."""
        try:
            if token.startswith(PREFIX):
                await self._sessions.end(token)
            else:
                access = await self.authenticator.access(token)
                await self._sessions.end_session(access.session)
        except Unauthenticated:
            logger.debug("a token that is none was to be revoked")

    async def create_key(
        self,
        name: str,
        scopes: tuple[str, ...] = (EXECUTE,),
        policy: str = "default",
        expires_at: float | None = None,
    ) -> tuple[ApiKey, str]:
        """Make an API key.

        :return: what is kept of it, and its text, which nobody can find out again
        :raises InvalidRequest: there is no such scope or policy, or the name cannot be shown
        """
        if not name.isprintable():
            raise InvalidRequest("a name has printable characters alone", field="name")
        if not scopes:
            raise InvalidRequest("a key needs a scope to be good for anything", field="scopes")
        for scope in scopes:
            if scope not in SCOPES:
                known = ", ".join(SCOPES)
                raise InvalidRequest(f"no scope {shown(scope)}; known: {known}", field="scopes")
        if policy not in self._policies:
            known = ", ".join(sorted(self._policies))
            raise InvalidRequest(f"no policy {shown(policy)}; known: {known}", field="policy")
        return await self._keys.create(name, tuple(dict.fromkeys(scopes)), policy, expires_at)

    async def keys(self) -> tuple[ApiKey, ...]:
        """Every API key, in the order in which they were made."""
        return await self._keys.all()

    async def revoke_key(self, id: str) -> ApiKey | None:
        """Revoke an API key and every token that it was traded for; None if there is none."""
        key = await self._keys.revoke(id)
        if key is not None:
            await self._sessions.end_all(id)
            self._forget_first(id)
        return key

    def rotate(self) -> str:
        """Sign with a new key from now on; its id. Older tokens stay good until they are over."""
        return self._signing.rotate().id

    def jwks(self) -> Mapping[str, object]:
        """The public keys by which others can verify our tokens."""
        return self._signing.jwks()

    async def make_first_key(self) -> str | None:
        """Make the first key if there is none at all, on any node; its text."""
        text = await self._keys.create_first(_FIRST, (EXECUTE, ADMIN), "default")
        if text is None:
            return None
        self.first_key.touch(mode=0o600)
        self.first_key.chmod(0o600)
        self.first_key.write_text(f"{text}\n")
        return text

    def _forget_first(self, id: str) -> None:
        try:
            if self._keys.id_in(self.first_key.read_text().strip()) == id:
                self.first_key.unlink()
        except OSError:
            return  # it was moved away, or there never was one

    def _granted(self, key: ApiKey, family: Family, refresh: str) -> Grant:
        scopes = tuple(scope for scope in family.scopes if scope in held(key.scopes))
        access = self._tokens.sign(key.id, family.session, scopes, key.policy)
        return Grant(
            access_token=access,
            refresh_token=refresh,
            expires_in=self._access_seconds,
            scopes=scopes,
        )
