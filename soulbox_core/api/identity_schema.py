"""What goes over the wire about who callers are."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from soulbox_core.api.schema import Wire
from soulbox_core.model import Value

Scope = Annotated[str, Meta(min_length=1, max_length=64)]
Token = Annotated[str, Meta(min_length=1, max_length=8192)]


class TokenBody(Wire):
    """What tokens are to be good for."""

    scope: (
        Annotated[str, Meta(max_length=256, description="Words; without it, all of the key's.")]
        | UnsetType
    ) = UNSET


class RefreshBody(Wire):
    """A refresh token to use up."""

    refresh_token: Token


class RevokeBody(Wire):
    """A token to revoke, with all that belong to it."""

    token: Token


class KeyBody(Wire):
    """An API key to make."""

    name: Annotated[str, Meta(max_length=100, description="For people to know it by.")] = ""
    scopes: Annotated[tuple[Scope, ...], Meta(max_length=8)] = ("execute",)
    policy: Annotated[str, Meta(max_length=100)] = "default"
    expires_in: (
        Annotated[float, Meta(gt=0, le=1e10, description="Seconds; without it, never.")] | UnsetType
    ) = UNSET


class TokenAnswer(Value):
    """A pair of tokens (RFC 6749 section 5.1)."""

    access_token: str
    refresh_token: str
    expires_in: int
    scope: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105, the kind of token


class KeyInfo(Value):
    """An API key, as everybody who may list keys sees it. Times are seconds since the epoch."""

    id: str
    name: str
    scopes: tuple[str, ...]
    policy: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None


class KeyAnswer(KeyInfo):
    """An API key that was just made. Its text is told this once."""

    key: str


class KeyList(Value):
    """Every API key."""

    keys: tuple[KeyInfo, ...]


class RotateAnswer(Value):
    """The key that signs tokens now."""

    kid: str


class Revoked(Value):
    """It is of no use any more."""

    revoked: Literal[True] = True


class KeySet(Value):
    """A JSON Web Key Set (RFC 7517)."""

    keys: tuple[dict[str, str], ...]
