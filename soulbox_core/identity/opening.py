"""Putting identity together from settings and what is on disk."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import time

from soulbox_core.errors import SettingsError
from soulbox_core.identity.authenticator import Authenticator
from soulbox_core.identity.identity import Identity
from soulbox_core.identity.issuers import KeySet, OutsideIssuer
from soulbox_core.identity.keys import Keys
from soulbox_core.identity.running import DATABASE, FIRST_KEY
from soulbox_core.identity.sessions import Sessions
from soulbox_core.identity.signing import Signing
from soulbox_core.identity.tokens import LEEWAY_SECONDS, Tokens
from soulbox_core.settings import Auth
from soulbox_core.store.surreal import open_store

_SIGNING = "signing"


@asynccontextmanager
async def open_identity(
    settings: Auth,
    directory: Path,
    issuer: str,
    policies: frozenset[str],
    clock: Callable[[], float] = time,
) -> AsyncIterator[Identity]:
    """Identity as it was left, or a new one.

    :param directory: the instance's
    :param issuer: what tokens have as `iss`
    :param policies: names that keys may have
    :raises StoreError: what is on disk cannot be used, or another process uses it
    :raises SettingsError: an outside issuer makes no sense
    """
    outside = _outside(settings, issuer, clock)
    async with open_store(directory / DATABASE) as store:
        signing = Signing(directory / _SIGNING, settings.access_seconds + 2 * LEEWAY_SECONDS, clock)
        keys = Keys(store, clock)
        await keys.load()
        sessions = Sessions(store, settings.refresh_seconds, clock)
        tokens = Tokens(signing, issuer, settings.audience, settings.access_seconds, clock)
        identity = Identity(
            keys,
            sessions,
            signing,
            tokens,
            Authenticator(keys, sessions, tokens, outside, clock),
            access_seconds=settings.access_seconds,
            policies=policies,
            first_key=directory / FIRST_KEY,
        )
        yield identity


def issuer_of(instance: str) -> str:
    """What the tokens of an instance have as `iss`.

    :param instance: its id
    """
    return f"urn:soulbox:{instance}"


def _outside(settings: Auth, own: str, clock: Callable[[], float]) -> dict[str, OutsideIssuer]:
    found: dict[str, OutsideIssuer] = {}
    for each in settings.issuers:
        if each.issuer in found or each.issuer == own:
            raise SettingsError(f"auth.issuers: {each.issuer} is there twice")
        if not each.algorithms:
            raise SettingsError(f"auth.issuers: {each.issuer} has no algorithms")
        found[each.issuer] = OutsideIssuer(each, KeySet(each.jwks), clock)
    return found
