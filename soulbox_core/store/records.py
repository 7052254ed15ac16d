"""What the database keeps."""

from soulbox_core.model import Value


class ApiKey(Value):
    """An API key, without the secret part of it."""

    id: str
    """Also its prefix, by which people tell keys apart."""
    digest: str
    """SHA-256 of the whole key, in hex. It holds 256 random bits, so there is nothing to guess
    that a slow hash would make slower."""
    name: str
    scopes: tuple[str, ...]
    policy: str
    created_at: float
    """Seconds since the epoch, as all times here."""
    expires_at: float | None = None
    revoked_at: float | None = None

    def usable(self, now: float) -> bool:
        """Whether who shows it is let in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Family(Value):
    """The refresh tokens that follow from one another, of which the last one is good."""

    id: str
    """Part of its refresh tokens, and nowhere else to be had."""
    session: str
    """Names the family in access tokens."""
    key_id: str
    """The API key that it was begun with."""
    scopes: tuple[str, ...]
    digest: str
    """SHA-256 of the good refresh token, in hex."""
    created_at: float
    expires_at: float
    revoked_at: float | None = None

    def usable(self, now: float) -> bool:
        """Whether its tokens are any good."""
        return self.revoked_at is None and now < self.expires_at
