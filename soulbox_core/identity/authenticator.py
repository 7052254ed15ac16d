"""Who shows what: an API key, a token of ours, or one of an outside issuer's."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping

from soulbox_core.errors import Unauthenticated
from soulbox_core.identity.issuers import OutsideIssuer
from soulbox_core.identity.keys import PREFIX, Keys
from soulbox_core.identity.sessions import Sessions
from soulbox_core.identity.tokens import Access, Tokens, unverified
from soulbox_core.model import Caller, Value
from soulbox_core.scopes import held
from soulbox_core.store.records import ApiKey

logger = logging.getLogger(__name__)

_REMEMBERED = 10_000


class _Known(Value):
    """A token whose signature was verified."""

    access: Access | None
    """What it says, if it is ours."""
    caller: Caller | None
    """Whose it is, if it is an outside issuer's."""
    expires_at: float


class Authenticator:
    """Knows callers by what they show.

    Verifying a signature takes a tenth of a millisecond, so tokens are known again by their hash
    until they are over. Whether what they rest on was revoked is asked each time.

    :param outside: by the `iss` of their tokens
    :param clock: seconds since the epoch
    """

    def __init__(
        self,
        keys: Keys,
        sessions: Sessions,
        tokens: Tokens,
        outside: Mapping[str, OutsideIssuer],
        clock: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._sessions = sessions
        self._tokens = tokens
        self._outside = outside
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def caller(self, credential: str) -> Caller:
        """The caller whose API key or access token this is.

        :raises Unauthenticated: it is nobody's, or not any more, or not yet
        :raises StoreFailed: nobody can tell, because the database does not
        """
        if credential.startswith(PREFIX):
            return caller_of(await self._keys.of(credential))
        name = hashlib.blake2b(credential.encode(), digest_size=16).digest()
        known = self._known.get(name)
        if known is None:
            known = self._remember(name, await self._verified(credential))
        if self._clock() >= known.expires_at:
            self._known.pop(name, None)
            raise Unauthenticated
        if known.caller is not None:
            return known.caller
        assert known.access is not None
        return await self._of(known.access)

    async def access(self, token: str) -> Access:
        """What an access token of ours says, whatever became of its session.

        :raises Unauthenticated: it is none
        """
        header, claims = unverified(token)
        if claims.get("iss") != self._tokens.issuer:
            raise Unauthenticated
        return self._tokens.read(token, header)

    async def _verified(self, token: str) -> _Known:
        header, claims = unverified(token)
        issuer = claims.get("iss")
        if issuer == self._tokens.issuer:
            access = self._tokens.read(token, header)
            return _Known(access=access, caller=None, expires_at=access.expires_at)
        outside = self._outside.get(issuer) if isinstance(issuer, str) else None
        if outside is None:
            raise Unauthenticated
        caller, expires_at = await outside.caller(token, header)
        return _Known(access=None, caller=caller, expires_at=expires_at)

    def _remember(self, name: bytes, known: _Known) -> _Known:
        self._known[name] = known
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known

    async def _of(self, access: Access) -> Caller:
        key = await self._keys.usable(access.key_id)
        if key is None or await self._sessions.alive(access.session) is None:
            raise Unauthenticated
        caller = caller_of(key)
        return Caller(
            id=caller.id,
            scopes=held(caller.scopes) & frozenset(access.scopes),
            policy=caller.policy,
        )


def caller_of(key: ApiKey) -> Caller:
    """Who has that key."""
    return Caller(id=f"key:{key.id}", scopes=frozenset(key.scopes), policy=key.policy)
