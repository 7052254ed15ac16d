"""What an artifact is kept under: a name that only this service can work out.

All cells of a language can open any artifact whose name they know, so a name must not follow
from sources that others may know: it is an HMAC, and its secret never leaves this process.
"""

import hmac
import os
import secrets
from collections.abc import Mapping

import msgspec

from soulbox_core.model import SourceFile, Value

_FORMAT = 1
"""Another number makes all artifacts of earlier versions unknown."""
_SECRET_BYTES = 32


class KeyParts(Value):
    """Everything that decides what a step leaves behind."""

    language: str
    plugin_version: str
    image: str
    """Its tag, which is a hash of what is in it."""
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    entrypoint: str = ""
    files: tuple[SourceFile, ...] = ()
    """Their order counts for nothing."""
    hidden: tuple[str, ...] = ()
    """What the step did not see: who sees less must not get what was made of more."""
    purpose: str = "compile"
    """Kinds of artifacts with different purposes never share a name."""


def cache_key(secret: bytes, parts: KeyParts) -> str:
    """The name of what comes of these parts, in hex."""
    # MessagePack writes every length before its value: no two sets of parts read the same.
    content = msgspec.msgpack.encode(
        (
            _FORMAT,
            parts.purpose,
            parts.language,
            parts.plugin_version,
            parts.image,
            parts.argv,
            sorted(parts.env.items()),
            parts.entrypoint,
            sorted((file.path, file.content) for file in parts.files),
            *((parts.hidden,) if parts.hidden else ()),
        )
    )
    return hmac.digest(secret, content, "sha256").hex()


def load_secret(path: str) -> bytes:
    """Read the secret, or make one the first time.

    With another secret all that is kept goes unfound, and in time makes room.

    :raises OSError: it cannot be read or written
    """
    try:
        with open(path, "rb") as file:
            secret = file.read()
        os.chmod(path, 0o600)
    except FileNotFoundError:
        secret = b""
    return secret if len(secret) == _SECRET_BYTES else _new_secret(path)


def _new_secret(path: str) -> bytes:
    secret = secrets.token_bytes(_SECRET_BYTES)
    draft = f"{path}.new"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, path)
    return secret
