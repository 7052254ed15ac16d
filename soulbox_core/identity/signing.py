"""The keys that sign this service's tokens: Ed25519, each in a file that only we can read."""

import hashlib
import logging
import os
import re
import stat
from base64 import urlsafe_b64encode
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from soulbox_core.errors import StoreError
from soulbox_core.model import Value

logger = logging.getLogger(__name__)

_FILE = re.compile(r"([0-9]{12})-([0-9a-f]{16})\.pem", re.ASCII)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class SigningKey(Value):
    """One key, by the name that tokens have for it."""

    id: str
    created_at: int
    """Seconds since the epoch."""
    private: Ed25519PrivateKey
    public: Ed25519PublicKey

    def __repr__(self) -> str:
        return f"SigningKey({self.id})"


class Signing:
    """The key that signs, and those before it, as long as tokens signed by them may be valid.

    :param directory: ours alone; what it holds is trusted
    :param overlap_seconds: how long after its successor was made a key still verifies
    :param clock: seconds since the epoch
    :raises StoreError: a file can be read by others, or is no key
    """

    def __init__(self, directory: Path, overlap_seconds: float, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._overlap = overlap_seconds
        self._clock = clock
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys = {key.id: key for key in map(_read, sorted(directory.glob("*.pem")))}
        if not self._keys:
            self.rotate()

    @property
    def current(self) -> SigningKey:
        """The key that signs now."""
        return next(reversed(self._keys.values()))

    def find(self, id: str) -> SigningKey | None:
        """The key of that name, if it still verifies."""
        self._drop_old()
        return self._keys.get(id)

    def rotate(self) -> SigningKey:
        """Make a key that signs from now on. Those before it verify for a while longer."""
        private = Ed25519PrivateKey.generate()
        latest = self.current.created_at if self._keys else 0
        key = _key(private, max(int(self._clock()), latest + 1))
        _write(self._directory / f"{key.created_at:012d}-{key.id}.pem", private)
        self._keys[key.id] = key
        logger.info("signing key %s made", key.id)
        return key

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys that verify, as a JSON Web Key Set (RFC 7517, RFC 8037 section 2)."""
        self._drop_old()
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "use": "sig",
                    "alg": "EdDSA",
                    "kid": key.id,
                    "x": _base64(_raw(key.public)),
                }
                for key in self._keys.values()
            ]
        }

    def _drop_old(self) -> None:
        keys = list(self._keys.values())
        for key, successor in pairwise(keys):
            if self._clock() >= successor.created_at + self._overlap:
                del self._keys[key.id]
                (self._directory / f"{key.created_at:012d}-{key.id}.pem").unlink(missing_ok=True)


def _key(private: Ed25519PrivateKey, created_at: int) -> SigningKey:
    public = private.public_key()
    id = hashlib.sha256(_raw(public)).hexdigest()[:16]
    return SigningKey(id=id, created_at=created_at, private=private, public=public)


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _write(file: Path, private: Ed25519PrivateKey) -> None:
    """Write a key so that it is there whole or not at all, and never for others to read."""
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(pem)
        opened.flush()
        os.fsync(opened.fileno())
    draft.rename(file)


def _read(file: Path) -> SigningKey:
    match = _FILE.fullmatch(file.name)
    if match is None:
        raise StoreError(f"{file} is not a signing key of ours; move it away")
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS or found.st_uid != os.getuid():
        raise StoreError(
            f"{file} must be a file that its owner alone may read: chmod 600, or, if others may"
            " have read it, remove it; tokens that it signed are refused then"
        )
    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise StoreError(f"{file} is damaged: {error}; remove it") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise StoreError(f"{file} is not an Ed25519 key; remove it")
    key = _key(private, int(match[1]))
    if key.id != match[2]:
        raise StoreError(f"{file} holds the key {key.id}; rename it, or remove it")
    return key
