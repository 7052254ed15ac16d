"""Access tokens: what this service signs, and how it reads what it signed (RFC 9068)."""

from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

import jwt

from soulbox_core.errors import Unauthenticated
from soulbox_core.identity.signing import Signing
from soulbox_core.model import Value

TOKEN_BYTES = 8192
"""Longest token that is looked at."""
LEEWAY_SECONDS = 5.0
"""How far clocks may be apart."""
_LATEST = 1 << 53
_TYPE = "at+jwt"
_ALGORITHM = "EdDSA"
_REQUIRED = ("iss", "aud", "sub", "sid", "scope", "iat", "nbf", "exp", "jti")


class Access(Value):
    """What an access token says."""

    key_id: str
    session: str
    scopes: tuple[str, ...]
    expires_at: float


class Tokens:
    """Signs and reads access tokens.

    :param issuer: what they have as `iss`
    :param seconds: how long they are good for
    :param clock: seconds since the epoch
    """

    def __init__(
        self,
        signing: Signing,
        issuer: str,
        audience: str,
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._signing = signing
        self.issuer = issuer
        self._audience = audience
        self._seconds = seconds
        self._clock = clock

    def sign(self, key_id: str, session: str, scopes: tuple[str, ...], policy: str) -> str:
        """Make a token for who has that API key."""
        now = int(self._clock())
        key = self._signing.current
        claims = {
            "iss": self.issuer,
            "aud": self._audience,
            "sub": key_id,
            "sid": session,
            "scope": " ".join(scopes),
            "policy": policy,
            "iat": now,
            "nbf": now,
            "exp": now + int(self._seconds),
            "jti": token_hex(8),
        }
        headers = {"kid": key.id, "typ": _TYPE}
        return jwt.encode(claims, key.private, algorithm=_ALGORITHM, headers=headers)

    def read(self, token: str, header: Mapping[str, Any]) -> Access:
        """Read a token of ours; which algorithm it is, our key says and never the token.

        :param header: its header, not verified
        :raises Unauthenticated: anything is wrong with it
        """
        kid = header.get("kid")
        key = self._signing.find(kid) if isinstance(kid, str) else None
        if key is None or header.get("typ") != _TYPE:
            raise Unauthenticated
        claims = verified(
            token,
            key.public,
            algorithm=_ALGORITHM,
            issuer=self.issuer,
            audience=self._audience,
            required=_REQUIRED,
            now=self._clock(),
        )
        texts = (claims["sub"], claims["sid"], claims["scope"])
        if not all(isinstance(text, str) for text in texts):
            raise Unauthenticated
        return Access(
            key_id=claims["sub"],
            session=claims["sid"],
            scopes=tuple(claims["scope"].split()),
            expires_at=float(claims["exp"]),
        )


def unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The header and the claims of a token, to find out by which key they may be believed.

    :raises Unauthenticated: it is not a token
    """
    if len(token) > TOKEN_BYTES:
        raise Unauthenticated
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Unauthenticated from None
    # RFC 7515 section 4.1.11: what is critical has to be understood, and nothing is here.
    if "crit" in header or "b64" in header:
        raise Unauthenticated
    return header, claims


def verified(
    token: str,
    key: Any,
    *,
    algorithm: str,
    issuer: str,
    audience: str,
    required: tuple[str, ...],
    now: float,
) -> Mapping[str, Any]:
    """The claims of a token that a key has signed.

    Times are held against a clock of ours: PyJWT has none that could be set.

    :raises Unauthenticated: it has not, or the token is for somebody else, over, or not yet valid
    """
    options: Any = {
        "require": list(required),
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
    }
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[algorithm], issuer=issuer, audience=audience, options=options
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthenticated from None
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if value is not None and not _is_time(value):
            raise Unauthenticated
    latest_start = max(claims.get("nbf") or 0, claims.get("iat") or 0)
    if not latest_start - LEEWAY_SECONDS <= now < claims["exp"] + LEEWAY_SECONDS:
        raise Unauthenticated
    return claims


def _is_time(value: object) -> bool:
    """Whether a claim is a number that a time can be: 2**53 s, and not a word such as Infinity."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST
