"""The keys that sign this node's own tokens, each in a file that only we can read."""

import logging
import os
import re
import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from soulbox_core.errors import StoreError
from soulbox_core.identity.signing_key import (
    SigningKey,
    VerifyingKey,
    key_set,
    signing_key,
    signing_key_in,
)

logger = logging.getLogger(__name__)

_FILE = re.compile(r"([0-9]{12})-([0-9a-f]{16})\.pem", re.ASCII)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Signing(Protocol):
    """The key that signs, and those that verify."""

    @property
    def current(self) -> SigningKey:
        """The key that signs now."""

    def find(self, id: str) -> VerifyingKey | None:
        """The key of that name, if it still verifies."""

    def rotate(self) -> SigningKey:
        """Make a key that signs from now on. Those before it verify for a while longer.

        :raises RequestError: which key signs is the operator's to say
        """

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys that verify, as a JSON Web Key Set."""


class OwnSigning:
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
        self._keys: dict[str, SigningKey] = {}
        self._created_at: dict[str, int] = {}
        """When each was made, in seconds since the epoch."""
        for file in sorted(directory.glob("*.pem")):
            self._add(*_read(file))
        if not self._keys:
            self.rotate()

    @property
    def current(self) -> SigningKey:
        return next(reversed(self._keys.values()))

    def find(self, id: str) -> SigningKey | None:
        self._drop_old()
        return self._keys.get(id)

    def rotate(self) -> SigningKey:
        private = Ed25519PrivateKey.generate()
        key = signing_key(private)
        latest = self._created_at[self.current.id] if self._keys else 0
        created_at = max(int(self._clock()), latest + 1)
        _write(self._file(key.id, created_at), private)
        self._add(key, created_at)
        logger.info("signing key %s made", key.id)
        return key

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        self._drop_old()
        return key_set(self._keys.values())

    def _add(self, key: SigningKey, created_at: int) -> None:
        self._keys[key.id] = key
        self._created_at[key.id] = created_at

    def _drop_old(self) -> None:
        for id, successor in pairwise(tuple(self._keys)):
            if self._clock() >= self._created_at[successor] + self._overlap:
                del self._keys[id]
                self._file(id, self._created_at.pop(id)).unlink(missing_ok=True)

    def _file(self, id: str, created_at: int) -> Path:
        return self._directory / f"{created_at:012d}-{id}.pem"


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


def _read(file: Path) -> tuple[SigningKey, int]:
    """:return: the key, and when it was made"""
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
        key = signing_key_in(file.read_bytes())
    except ValueError as error:
        raise StoreError(f"{file} cannot be used: {error}; remove it") from None
    if key.id != match[2]:
        raise StoreError(f"{file} holds the key {key.id}; rename it, or remove it")
    return key, int(match[1])
