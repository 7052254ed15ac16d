"""Where artifacts are on disk, and the steps by which they come and go.

    <root>/<language>/<key>/            the files, which cells see read-only at /store
    <root>/.meta/<language>/<key>.json  the manifest; its own time says when it was last used
    <root>/.tmp/                        what is being made or deleted

Whatever appears or vanishes does so by a rename. An artifact needs both its directory and its
manifest, so whichever of the two a crash leaves alone is swept at the next start.
"""

import logging
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping

from soulbox_core.errors import ArtifactError
from soulbox_core.execution import artifact_manifest, artifact_tree
from soulbox_core.execution.artifact_manifest import Manifest
from soulbox_core.execution.artifact_tree import Looks
from soulbox_core.language import NAME
from soulbox_core.model import OutputFile, Value

logger = logging.getLogger(__name__)

KEY = re.compile(r"[0-9a-f]{16,128}")
LANGUAGE_MODE = 0o711
"""A cell may open what it knows the key of, and list nothing."""
_ENTRY_BYTES = 8192
"""What an artifact takes beside its files: its manifest, and its names in two directories."""
_PRIVATE = 0o700

Id = tuple[str, str]
"""Language and key."""


class Staged(Value):
    """An artifact that is written but has no name yet."""

    path: str
    manifest: Manifest


class Found(Value):
    """An artifact that an earlier life left."""

    id: Id
    size_bytes: int
    used_at: float
    """Seconds since the epoch."""


class Disk:
    """All file system calls of the store; none of them on the event loop.

    :raises OSError: the root cannot be made
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._temporary = f"{root}/.tmp"
        self._meta = f"{root}/.meta"
        os.makedirs(root, exist_ok=True)
        os.chmod(root, _PRIVATE)
        for directory in (self._temporary, self._meta):
            os.makedirs(directory, mode=_PRIVATE, exist_ok=True)

    def entry(self, id: Id) -> str:
        """The directory of an artifact's files."""
        return f"{self.root}/{id[0]}/{id[1]}"

    def manifest(self, id: Id) -> str:
        """The file with its manifest."""
        return f"{self._meta}/{id[0]}/{id[1]}.json"

    def language(self, language: str) -> str:
        """Make the directory of a language and return its path.

        :raises OSError: it cannot be made
        """
        directory = f"{self.root}/{language}"
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, LANGUAGE_MODE)
        return directory

    def stage(self, files: tuple[OutputFile, ...], note: bytes) -> Staged:
        """Write an artifact under a name of no meaning.

        :raises ArtifactError: a path in it cannot be
        :raises OSError: the file system refused
        """
        path = f"{self._temporary}/{secrets.token_hex(8)}"
        os.mkdir(path, _PRIVATE)
        try:
            records = artifact_tree.write(f"{path}/entry", files)
            manifest = Manifest(files=records, note=note, size_bytes=size_of(sizes_of(files), note))
            artifact_manifest.write(f"{path}/manifest", manifest)
        except BaseException:
            _delete(path)
            raise
        return Staged(path=path, manifest=manifest)

    def draft(self) -> str:
        """Make a directory that is filled by others and then staged, or scrapped.

        :raises OSError: the file system refused
        """
        path = f"{self._temporary}/{secrets.token_hex(8)}"
        os.mkdir(path, _PRIVATE)
        os.mkdir(f"{path}/entry", _PRIVATE)
        return f"{path}/entry"

    def stage_draft(self, draft: str, note: bytes) -> Staged:
        """Make a filled draft an artifact that has no name yet.

        :raises ArtifactError: a path in it cannot be
        :raises OSError: the file system refused
        """
        path = os.path.dirname(draft)
        records = artifact_tree.adopt(draft)
        size_bytes = size_of({record.path: record.size for record in records}, note)
        manifest = Manifest(files=records, note=note, size_bytes=size_bytes)
        artifact_manifest.write(f"{path}/manifest", manifest)
        return Staged(path=path, manifest=manifest)

    def scrap(self, draft: str) -> None:
        """Delete a draft, if it is still there."""
        _delete(os.path.dirname(draft))

    def publish(self, staged: Staged, id: Id) -> Looks:
        """Give a staged artifact its name and return how it looks.

        :raises OSError: the file system refused
        """
        entry, manifest = self.entry(id), self.manifest(id)
        try:
            self.language(id[0])
            os.makedirs(os.path.dirname(manifest), mode=_PRIVATE, exist_ok=True)
            if os.path.lexists(entry):  # of an entry that could not be removed in its time
                os.rename(entry, f"{staged.path}/old")
            os.rename(f"{staged.path}/manifest", manifest)
            os.rename(f"{staged.path}/entry", entry)
            return artifact_tree.look(entry, {record.path for record in staged.manifest.files})
        finally:
            _delete(staged.path)

    def discard(self, staged: Staged) -> None:
        """Forget a staged artifact."""
        _delete(staged.path)

    def retire(self, ids: list[Id]) -> list[str]:
        """Take artifacts' names away, and return where their files are now, for `delete`."""
        trash = []
        for id in ids:
            place = f"{self._temporary}/{secrets.token_hex(8)}"
            try:
                os.rename(self.entry(id), place)
                trash.append(place)
            except FileNotFoundError:
                pass
            except OSError as error:
                logger.error("artifact %s cannot be removed: %s", shown(id), error)
            _delete(self.manifest(id))
        return trash

    def delete(self, paths: list[str]) -> None:
        """Delete what was retired."""
        for path in paths:
            _delete(path)

    def used(self, id: Id) -> None:
        """Note that an artifact is in use."""
        try:
            os.utime(self.manifest(id))
        except FileNotFoundError:
            return  # removed meanwhile
        except OSError as error:
            logger.warning("artifact %s: its use is not noted: %s", shown(id), error)

    def examine(self, id: Id, looks: Looks | None) -> tuple[Manifest, Looks]:
        """Read an artifact's manifest, and see whether its files are what was written.

        :param looks: how they looked when they were last read; None reads them
        :raises ArtifactError: they are not
        """
        manifest = artifact_manifest.read(self.manifest(id))
        if looks is None:
            return manifest, artifact_tree.verify(self.entry(id), manifest.files)
        artifact_tree.hold(looks)
        return manifest, looks

    def sweep(self) -> tuple[list[Found], int]:
        """Remove what is half made, and return the rest and how many were damaged.

        :returns: the artifacts, the longest unused first
        """
        for name in os.listdir(self._temporary):
            _delete(f"{self._temporary}/{name}")
        found: list[Found] = []
        damaged = 0
        for language in self._languages():
            entries = _keys(f"{self.root}/{language}", "")
            manifests = _keys(f"{self._meta}/{language}", ".json")
            self._remove([(language, key) for key in entries ^ manifests])
            for key in entries & manifests:
                try:
                    found.append(self._found((language, key)))
                except ArtifactError as error:
                    logger.warning("artifact %s is damaged: %s", shown((language, key)), error)
                    self._remove([(language, key)])
                    damaged += 1
        return sorted(found, key=lambda each: each.used_at), damaged

    def _remove(self, ids: list[Id]) -> None:
        self.delete(self.retire(ids))

    def _found(self, id: Id) -> Found:
        manifest = self.manifest(id)
        size_bytes = artifact_manifest.read(manifest).size_bytes
        return Found(id=id, size_bytes=size_bytes, used_at=os.stat(manifest).st_mtime)

    def _languages(self) -> Iterator[str]:
        for name in {*os.listdir(self.root), *os.listdir(self._meta)}:
            if NAME.fullmatch(name):
                self.language(name)
                os.makedirs(f"{self._meta}/{name}", mode=_PRIVATE, exist_ok=True)
                yield name


def sizes_of(files: tuple[OutputFile, ...]) -> dict[str, int]:
    """Path to bytes, as `size_of` takes them."""
    return {file.path: len(file.content) for file in files}


def size_of(sizes: Mapping[str, int], note: bytes) -> int:
    """Bytes of the store's room that an artifact takes.

    :param sizes: path of each file to its bytes
    """
    return _ENTRY_BYTES + len(note) + artifact_tree.blocks(sizes)


def shown(id: Id) -> str:
    """An artifact's name for the log: who knows a whole key may read what is under it."""
    return f"{id[0]}/{id[1][:8]}"


def _keys(directory: str, suffix: str) -> set[str]:
    """The keys that have a file of this suffix in a directory; all else in it is removed."""
    keys = set()
    for name in os.listdir(directory):
        key = name.removesuffix(suffix)
        if KEY.fullmatch(key) and name == key + suffix:
            keys.add(key)
        else:
            _delete(f"{directory}/{name}")
    return keys


def _delete(path: str) -> None:
    """Remove a file or a tree, if it is there."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        logger.error("%s cannot be removed: %s", path, error)
