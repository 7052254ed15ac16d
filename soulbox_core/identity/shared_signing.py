"""The keys that the operator gives to all nodes: tokens of one are good on the others."""

import os
import stat
from collections.abc import Callable, Sequence
from typing import TypeVar

from soulbox_core.errors import RequestError, SettingsError
from soulbox_core.identity.signing_key import (
    PRIVATE,
    SigningKey,
    VerifyingKey,
    key_set,
    signing_key_in,
    verifying_key_in,
)

_MOST_BYTES = 64 << 10
_ROOT = 0

Key = TypeVar("Key", bound=VerifyingKey)


class SharedSigning:
    """One key that signs, and more that verify: those before it, and the one after it.

    They are read once. To change one, nodes are started again, one after the other.

    :param signing: PEM file with a private key
    :param verifying: PEM files with private or public keys
    :raises SettingsError: a file cannot be used, or others may read or change it
    """

    def __init__(self, signing: str, verifying: Sequence[str]) -> None:
        self.current: SigningKey = _key("auth.signing_key", signing, signing_key_in)
        others = [_key("auth.verifying_keys", file, verifying_key_in) for file in verifying]
        self._keys: dict[str, VerifyingKey] = {key.id: key for key in (*others, self.current)}

    def find(self, id: str) -> VerifyingKey | None:
        return self._keys.get(id)

    def rotate(self) -> SigningKey:
        raise RequestError(
            "which key signs is said by auth.signing_key, on every node; change it there"
        )

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        return key_set(self._keys.values())


def _key(setting: str, file: str, read: Callable[[bytes], Key]) -> Key:
    try:
        # What is opened is what is looked at: between two looks at a path it could be replaced.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(descriptor)
            pem = opened.read(_MOST_BYTES)
    except OSError as error:
        raise SettingsError(f"{setting}: {file}: {error.strerror}") from None
    try:
        check_rights(found, os.getuid(), secret=PRIVATE in pem)
        return read(pem)
    except ValueError as error:
        raise SettingsError(f"{setting}: {file}: {error}") from None


def check_rights(found: os.stat_result, user: int, *, secret: bool) -> None:
    """Who may change it and, if it is secret, read it. What root owns its group may read, as
    PostgreSQL has it for its key: a secret that is mounted into a container comes like that.

    :param user: the service's
    :raises ValueError: too many
    """
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it must be a file")
    if found.st_uid not in (_ROOT, user):
        raise ValueError("it must belong to the service's user or to root")
    forbidden = stat.S_IWGRP | stat.S_IWOTH
    if secret:
        by_group = stat.S_IWGRP if found.st_uid == _ROOT else stat.S_IRWXG
        forbidden = by_group | stat.S_IRWXO
    if found.st_mode & forbidden:
        raise ValueError(
            "others may read or change it; chmod 600, or 640 if it is root's and its group the"
            " service's, and if others may have read it, make another one"
        )
