"""A key that signs tokens, and what they are verified by: Ed25519, in PEM."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from soulbox_core.model import Value

PRIVATE = b"PRIVATE KEY-----"
"""What the PEM of a key that signs has in it."""


class VerifyingKey(Value):
    """What tokens are verified by, under the name that they have for it."""

    id: str
    public: Ed25519PublicKey


class SigningKey(VerifyingKey):
    """One key."""

    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.id})"


def signing_key(private: Ed25519PrivateKey) -> SigningKey:
    """A key with its name, which is made from the key itself."""
    public = private.public_key()
    return SigningKey(id=_id(public), public=public, private=private)


def signing_key_in(pem: bytes) -> SigningKey:
    """The key in a PEM text.

    :raises ValueError: there is none, not one alone, or another kind of one
    """
    _check_alone(pem)
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"it is damaged, or no private key: {error}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("it is not an Ed25519 key")
    return signing_key(private)


def verifying_key_in(pem: bytes) -> VerifyingKey:
    """The key in a PEM text, of which the public half is enough.

    :raises ValueError: there is none, not one alone, or another kind of one
    """
    if PRIVATE in pem:
        key = signing_key_in(pem)
        return VerifyingKey(id=key.id, public=key.public)
    _check_alone(pem)
    try:
        public = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"it is damaged, or no key: {error}") from None
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError("it is not an Ed25519 key")
    return VerifyingKey(id=_id(public), public=public)


def key_set(keys: Iterable[VerifyingKey]) -> dict[str, list[dict[str, str]]]:
    """The public keys, as a JSON Web Key Set (RFC 7517, RFC 8037 section 2)."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "EdDSA",
                "kid": key.id,
                "x": urlsafe_b64encode(_raw(key.public)).rstrip(b"=").decode(),
            }
            for key in keys
        ]
    }


def _check_alone(pem: bytes) -> None:
    """Only the first of several would be read, and nobody would know."""
    if pem.count(b"-----BEGIN") > 1:
        raise ValueError("it holds more than one key; put each into a file of its own")


def _id(public: Ed25519PublicKey) -> str:
    return hashlib.sha256(_raw(public)).hexdigest()[:16]


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
