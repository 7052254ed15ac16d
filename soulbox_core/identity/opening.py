"""Putting identity together from settings and what is on disk."""

from collections.abc import Callable
from pathlib import Path
from time import time

from soulbox_core.errors import SettingsError
from soulbox_core.identity.authenticator import Authenticator
from soulbox_core.identity.freshness import Freshness
from soulbox_core.identity.identity import Identity
from soulbox_core.identity.issuers import KeySet, OutsideIssuer
from soulbox_core.identity.keys import Keys
from soulbox_core.identity.running import FIRST_KEY
from soulbox_core.identity.sessions import Sessions
from soulbox_core.identity.shared_signing import SharedSigning
from soulbox_core.identity.signing import OwnSigning, Signing
from soulbox_core.identity.tokens import LEEWAY_SECONDS, Tokens
from soulbox_core.settings import Auth
from soulbox_core.store.port import Store

_SIGNING = "signing"


async def open_identity(
    settings: Auth,
    store: Store,
    directory: Path,
    issuer: str,
    policies: frozenset[str],
    clock: Callable[[], float] = time,
    *,
    freshness: Freshness | None = None,
) -> Identity:
    """Identity as it was left, or a new one.

    :param store: where keys and sessions are kept
    :param directory: the instance's
    :param issuer: what tokens have as `iss`, if the settings do not say
    :param policies: names that keys may have
    :param freshness: how old may be what is known of keys and sessions; None where nobody else
        writes to the database
    :raises StoreError: what is on disk cannot be used
    :raises StoreFailed: the database failed, or a record in it is damaged
    :raises SettingsError: an outside issuer makes no sense, or a key cannot be used
    """
    issuer = settings.issuer or issuer
    outside = _outside(settings, issuer, clock)
    signing = _signing(settings, directory, clock)
    keys = Keys(store, clock, freshness)
    await keys.load()
    sessions = Sessions(store, settings.refresh_seconds, clock, freshness)
    tokens = Tokens(signing, issuer, settings.audience, settings.access_seconds, clock)
    return Identity(
        keys,
        sessions,
        signing,
        tokens,
        Authenticator(keys, sessions, tokens, outside, clock),
        access_seconds=settings.access_seconds,
        policies=policies,
        first_key=directory / FIRST_KEY,
    )


def issuer_of(instance: str) -> str:
    """What the tokens of an instance have as `iss`.

    :param instance: its id
    """
    return f"urn:soulbox:{instance}"


def _signing(settings: Auth, directory: Path, clock: Callable[[], float]) -> Signing:
    if settings.signing_key:
        return SharedSigning(settings.signing_key, settings.verifying_keys)
    overlap_seconds = settings.access_seconds + 2 * LEEWAY_SECONDS
    return OwnSigning(directory / _SIGNING, overlap_seconds, clock)


def _outside(settings: Auth, own: str, clock: Callable[[], float]) -> dict[str, OutsideIssuer]:
    found: dict[str, OutsideIssuer] = {}
    for each in settings.issuers:
        if each.issuer in found or each.issuer == own:
            raise SettingsError(f"auth.issuers: {each.issuer} is there twice")
        for other in found:
            if each.issuer.startswith(f"{other}:") or other.startswith(f"{each.issuer}:"):
                # token:ISSUER:SUBJECT could be of either.
                raise SettingsError(f"auth.issuers: {each.issuer} and {other} cannot be told apart")
        if not each.algorithms:
            raise SettingsError(f"auth.issuers: {each.issuer} has no algorithms")
        found[each.issuer] = OutsideIssuer(each, KeySet(each.jwks), clock)
    return found
