"""Outside issuers: whose tokens are accepted, and by which keys."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import jwt
import msgspec
from jwt import PyJWK

from soulbox_core import loopback
from soulbox_core.errors import SettingsError, Unauthenticated
from soulbox_core.identity.tokens import verified
from soulbox_core.model import Caller
from soulbox_core.scopes import SCOPES
from soulbox_core.settings import Issuer

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 60.0
"""Least time between two looks at an issuer's keys, whatever tokens ask for."""
STALE_SECONDS = 3600.0
"""After this long they are looked at again even if nothing is missing: one may have been taken
back."""
_FETCH_SECONDS = 5.0
_KEY_SET_BYTES = 1 << 20
_REQUIRED = ("iss", "aud", "sub", "exp")
_SUBJECT_CHARACTERS = 256

_KINDS = {"EdDSA": "OKP", "ES256": "EC", "RS256": "RSA", "PS256": "RSA"}
"""The kind of key that an algorithm takes (RFC 7518 section 6.1, RFC 8037 section 2)."""


class KeySet:
    """The public keys of an issuer, by their ids.

    :param place: an https URL, or a file; plain http for loopback alone
    :raises SettingsError: it is neither
    """

    def __init__(self, place: str, clock: Callable[[], float] = monotonic) -> None:
        self._url = place if "://" in place else None
        if self._url is not None:
            url = httpx.URL(self._url)
            if url.scheme != "https" and not (url.scheme == "http" and url.host in loopback.NAMES):
                raise SettingsError(f"auth.issuers.jwks: {place} must begin with https://")
        self._place = place
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._looked_at: float | None = None
        self._looking = asyncio.Lock()

    async def find(self, id: str) -> PyJWK | None:
        """The key of that id; looked for anew if it is not known, but not again and again."""
        if self._due(id in self._keys):
            async with self._looking:
                if self._due(id in self._keys):
                    await self._look()
        return self._keys.get(id)

    def _due(self, known: bool) -> bool:
        if self._looked_at is None:
            return True
        return self._clock() - self._looked_at >= (STALE_SECONDS if known else AGAIN_SECONDS)

    async def _look(self) -> None:
        self._looked_at = self._clock()
        try:
            found = await self._fetch() if self._url else await self._read()
            self._keys = dict(_usable(msgspec.json.decode(found)))
        except (
            httpx.HTTPError,
            OSError,
            ValueError,
            TypeError,
            LookupError,
            RecursionError,
        ) as error:
            # The keys that are known are kept: an issuer that is down has not lost them.
            logger.warning("no keys from %s: %s", self._place, type(error).__name__)

    async def _fetch(self) -> bytes:
        assert self._url is not None
        whole = bytearray()
        async with (
            asyncio.timeout(_FETCH_SECONDS),
            httpx.AsyncClient(follow_redirects=False) as client,
            client.stream("GET", self._url) as response,
        ):
            response.raise_for_status()
            async for part in response.aiter_bytes():
                whole += part
                if len(whole) > _KEY_SET_BYTES:
                    raise ValueError("a key set that large is none")
        return bytes(whole)

    async def _read(self) -> bytes:
        return await asyncio.to_thread(Path(self._place).read_bytes)


def _usable(key_set: Any) -> Iterable[tuple[str, PyJWK]]:
    """Those that sign and have a name; one that cannot be read does not spoil the others."""
    for described in key_set["keys"]:
        if not isinstance(described, dict) or described.get("use", "sig") != "sig":
            continue
        id = described.get("kid")
        if not isinstance(id, str) or described.get("kty") not in _KINDS.values():
            continue
        if "d" in described:  # a private key is anybody's by now
            logger.warning("a key of an issuer is not secret")
            continue
        try:
            yield id, PyJWK.from_dict(described)
        except (jwt.PyJWTError, ValueError, TypeError):
            logger.warning("a key of an issuer cannot be read")


class OutsideIssuer:
    """Reads the tokens of one issuer."""

    def __init__(self, settings: Issuer, keys: KeySet, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock

    async def caller(self, token: str, header: Mapping[str, Any]) -> tuple[Caller, float]:
        """Who the token is of.

        :param header: its header, not verified
        :return: the caller, and when the token is over
        :raises Unauthenticated: anything is wrong with it
        """
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._settings.algorithms or not isinstance(kid, str):
            raise Unauthenticated
        key = await self._keys.find(kid)
        if key is None or key.key_type != _KINDS[algorithm]:
            raise Unauthenticated
        claims = verified(
            token,
            key.key,
            algorithm=algorithm,
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            required=_REQUIRED,
            now=self._clock(),
        )
        return self._caller(claims), float(claims["exp"])

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        subject = claims["sub"]
        policy = claims.get(self._settings.policy_claim, "default")
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_CHARACTERS:
            raise Unauthenticated
        if not subject.isprintable():  # it is part of log lines, records and keys of answers
            raise Unauthenticated
        if not isinstance(policy, str):
            raise Unauthenticated
        return Caller(
            id=f"token:{self._settings.issuer}:{subject}",
            scopes=frozenset(_words(claims.get(self._settings.scopes_claim))) & frozenset(SCOPES),
            policy=policy,
        )


def _words(scopes: object) -> Iterable[str]:
    if isinstance(scopes, str):
        return scopes.split()
    if isinstance(scopes, list):
        return [scope for scope in scopes if isinstance(scope, str)]
    return ()
