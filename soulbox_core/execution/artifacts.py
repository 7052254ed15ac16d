"""The store of artifacts: each is what it was when it was put there, and stays while it is used."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soulbox_core.errors import ArtifactError, ArtifactTooLarge, HostError, SandboxError
from soulbox_core.execution import artifact_tree
from soulbox_core.execution.artifact_disk import (
    KEY,
    Disk,
    Id,
    Staged,
    shown,
    size_of,
    sizes_of,
)
from soulbox_core.execution.artifact_index import Entry, Index
from soulbox_core.execution.artifact_manifest import Manifest
from soulbox_core.execution.artifact_tree import Looks
from soulbox_core.execution.cache_key import load_secret
from soulbox_core.language import NAME
from soulbox_core.model import OutputFile, Value
from soulbox_core.single_flight import SingleFlight

logger = logging.getLogger(__name__)

MAX_ENTRIES = 10_000
TOUCH_SECONDS = 60.0
"""How often an artifact's last use is written down, which only the next start reads."""


class Artifact(Value):
    """What a step left behind, in the store."""

    language: str
    key: str
    directory: str
    """On the host."""
    note: bytes
    """What was said when it was made."""
    size_bytes: int
    """What it takes of the store's room."""


class StoreStats(Value):
    """Counts since the start, and what is there now."""

    hits: int
    misses: int
    evictions: int
    damaged: int
    bytes: int
    entries: int


class ArtifactStore:
    """Keeps artifacts by language and key; the longest unused make room for new ones.

    One process per root, and one event loop. The constructor reads the directory: call it
    before the service starts, or in a thread.

    :param root: made if it is not there
    :param max_bytes: room for all artifacts; leased ones may together take more for a while
    :raises HostError: the root cannot be read or written
    """

    def __init__(self, root: Path, max_bytes: int, max_entries: int = MAX_ENTRIES) -> None:
        self._index = Index(max_bytes, max_entries)
        self._hits = self._misses = self._evictions = 0
        self._checks: SingleFlight[Id, tuple[Manifest, Looks]] = SingleFlight()
        self._changing = asyncio.Lock()
        """Held from deciding what is in the store to its being so on disk."""
        self._tasks: set[asyncio.Task[Any]] = set()
        try:
            self._disk = Disk(str(root))
            self.secret = load_secret(f"{root}/.secret")
            found, self._damaged = self._disk.sweep()
            for each in found:
                self._index.add(each.id, Entry(each.size_bytes, each.used_at))
            self._disk.delete(self._disk.retire(self._make_room()))
        except OSError as error:
            raise HostError(f"artifact store: {_said(error)}") from None

    def stats(self) -> StoreStats:
        """How it is now."""
        return StoreStats(
            hits=self._hits,
            misses=self._misses,
            evictions=self._evictions,
            damaged=self._damaged,
            bytes=self._index.bytes,
            entries=len(self._index),
        )

    @contextmanager
    def lease(self, language: str, key: str) -> Iterator[None]:
        """Keep the artifact of this name, there or yet to come, from being evicted."""
        id = (language, key)
        self._index.lease(id)
        try:
            yield
        finally:
            self._index.release(id)
            if self._index.is_over:
                self._spawn(self._trim())

    def has(self, language: str, key: str) -> bool:
        """Whether it is there, as far as can be told without looking."""
        return self._index.get((language, key)) is not None

    async def get(self, language: str, key: str) -> Artifact | None:
        """Return an artifact if it is there, undamaged. Lease its name before.

        The first use since the start reads all of it; later ones look at sizes and times.
        """
        artifact = await self._find((language, key))
        if artifact is None:
            self._misses += 1
        else:
            self._hits += 1
        return artifact

    async def put(
        self, language: str, key: str, files: Iterable[OutputFile], note: bytes
    ) -> Artifact:
        """Keep files under a name, unless it is taken: then what is there stays.

        A caller that is cancelled meanwhile does not stop it.

        :param note: kept with it, and returned by `get`
        :raises ArtifactTooLarge: it would fill more than the store
        :raises ArtifactError: a path is not relative and normalised, or conflicts with another
        :raises SandboxError: the file system refused
        """
        id = _checked_id(language, key)
        return await asyncio.shield(self._spawn(self._put(id, tuple(files), note)))

    async def draft(self) -> Path:
        """Make an empty directory for files that are too many to hand over.

        :raises SandboxError: the file system refused
        """
        try:
            return Path(await asyncio.to_thread(self._disk.draft))
        except OSError as error:
            raise SandboxError(f"artifact store: {_said(error)}") from error

    async def put_draft(self, language: str, key: str, draft: Path, note: bytes) -> Artifact:
        """The same as `put`, for the files in a draft, which is gone afterwards.

        :raises ArtifactTooLarge: it would fill more than the store
        :raises ArtifactError: a path is not relative and normalised, or conflicts with another
        :raises SandboxError: the file system refused
        """
        id = _checked_id(language, key)
        return await asyncio.shield(self._spawn(self._put_draft(id, draft, note)))

    def scrap(self, draft: Path) -> None:
        """Delete a draft that is of no use, soon."""
        self._spawn(asyncio.to_thread(self._disk.scrap, str(draft)))

    async def close(self) -> None:
        """Finish what is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _find(self, id: Id) -> Artifact | None:
        entry = self._index.get(id)
        if entry is None:
            return None
        try:
            note = await self._checked(id, entry)
        except ArtifactError as error:
            await self._drop(id, entry, error)
            return None
        if self._index.get(id) is not entry:
            return None  # it was damaged, and who shared the look was here first
        self._use(id, entry)
        return self._artifact(id, entry, note)

    async def _checked(self, id: Id, entry: Entry) -> bytes:
        """Look whether an artifact is what it was, in a thread if that takes long.

        :returns: its note
        :raises ArtifactError: it is damaged
        """
        at_hand = entry.at_hand()
        if at_hand is not None:
            note, looks = at_hand
            artifact_tree.hold(looks)
            return note
        with self.lease(*id):
            (manifest, looks), _ = await self._checks.fly(
                id, lambda: asyncio.to_thread(self._disk.examine, id, entry.looks)
            )
        entry.seen(manifest, looks)
        return manifest.note

    def _use(self, id: Id, entry: Entry) -> None:
        self._index.use(id)
        now = time.time()
        if abs(now - entry.used_at) >= TOUCH_SECONDS:
            entry.used_at = now
            self._spawn(asyncio.to_thread(self._disk.used, id))

    async def _put(self, id: Id, files: tuple[OutputFile, ...], note: bytes) -> Artifact:
        present = await self._find(id)
        if present is not None:
            return present
        self._check_size(size_of(sizes_of(files), note))  # before it is written
        return await self._keep(id, lambda: self._disk.stage(files, note))

    async def _put_draft(self, id: Id, draft: Path, note: bytes) -> Artifact:
        try:
            return await self._keep(id, lambda: self._disk.stage_draft(str(draft), note))
        finally:
            self.scrap(draft)

    async def _keep(self, id: Id, stage: Callable[[], Staged]) -> Artifact:
        try:
            staged = await asyncio.to_thread(stage)
            self._check_size(staged.manifest.size_bytes)
            async with self._changing:
                return await self._publish(id, staged)
        except OSError as error:
            raise SandboxError(f"artifact store: {_said(error)}") from error

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._index.max_bytes:
            raise ArtifactTooLarge(size_bytes, self._index.max_bytes)

    async def _publish(self, id: Id, staged: Staged) -> Artifact:
        manifest = staged.manifest
        entry = self._index.get(id)
        if entry is not None:  # another put of the same name was faster
            await asyncio.to_thread(self._disk.discard, staged)
            return self._artifact(id, entry, manifest.note)
        await self._retire(self._make_room(manifest.size_bytes, 1))
        entry = Entry(manifest.size_bytes, time.time())
        entry.seen(manifest, await asyncio.to_thread(self._disk.publish, staged, id))
        self._index.add(id, entry)
        return self._artifact(id, entry, manifest.note)

    async def _drop(self, id: Id, entry: Entry, error: ArtifactError) -> None:
        """Remove a damaged artifact, so that it is made again."""
        if self._index.get(id) is entry:
            self._index.remove(id)
            self._damaged += 1
            logger.warning("artifact %s is damaged and will be made again: %s", shown(id), error)
            await asyncio.shield(self._spawn(self._remove(id)))

    async def _remove(self, id: Id) -> None:
        async with self._changing:
            if self._index.get(id) is None:  # otherwise a new one has taken its place already
                await self._retire([id])

    async def _trim(self) -> None:
        async with self._changing:
            await self._retire(self._make_room())

    def _make_room(self, size_bytes: int = 0, count: int = 0) -> list[Id]:
        chosen = self._index.make_room(size_bytes, count)
        self._evictions += len(chosen)
        return chosen

    async def _retire(self, ids: list[Id]) -> None:
        """Take artifacts' names away; deleting their files need not be waited for."""
        if ids:
            trash = await asyncio.to_thread(self._disk.retire, ids)
            self._spawn(asyncio.to_thread(self._disk.delete, trash))

    def _artifact(self, id: Id, entry: Entry, note: bytes) -> Artifact:
        language, key = id
        return Artifact(
            language=language,
            key=key,
            directory=self._disk.entry(id),
            note=note,
            size_bytes=entry.size_bytes,
        )

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _checked_id(language: str, key: str) -> Id:
    if not NAME.fullmatch(language) or not KEY.fullmatch(key):
        raise ValueError(f"no artifact can be called {language}/{key}")
    return language, key


def _said(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
