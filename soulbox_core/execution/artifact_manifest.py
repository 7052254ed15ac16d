"""The record of an artifact: what its files were when they were written. No cell sees it."""

import hashlib
import os

import msgspec

from soulbox_core.errors import ArtifactError
from soulbox_core.execution.artifact_tree import Record
from soulbox_core.model import Value


class Manifest(Value):
    """What is kept beside an artifact's files."""

    files: tuple[Record, ...]
    note: bytes
    size_bytes: int
    """What the artifact takes of the store's room."""


class _Sealed(msgspec.Struct):
    """A manifest and the hash that tells whether it came back whole."""

    sha256: str
    manifest: msgspec.Raw


def write(path: str, manifest: Manifest) -> None:
    """Write it to a new file. No fsync: what a power failure spoils is found when it is read.

    :raises OSError: the file system refused
    """
    content = msgspec.json.encode(manifest)
    sealed = _Sealed(hashlib.sha256(content).hexdigest(), msgspec.Raw(content))
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(sealed))


def read(path: str) -> Manifest:
    """:raises ArtifactError: it is missing or damaged"""
    try:
        with open(path, "rb") as file:
            sealed = msgspec.json.decode(file.read(), type=_Sealed)
        if hashlib.sha256(sealed.manifest).hexdigest() != sealed.sha256:
            raise ArtifactError("its manifest is not what was written")
        return msgspec.json.decode(sealed.manifest, type=Manifest)
    except OSError as error:
        raise ArtifactError(f"its manifest: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"its manifest: {error}") from None
