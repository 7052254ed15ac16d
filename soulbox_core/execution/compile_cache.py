"""What compile steps leave behind, made once for all who ask, and kept."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec

from soulbox_core.execution.artifact_disk import Id
from soulbox_core.execution.artifacts import Artifact, ArtifactStore
from soulbox_core.model import Facts, OutputFile, Value
from soulbox_core.single_flight import SingleFlight


class Built(Value):
    """What came of a build."""

    ok: bool
    """Whether there is an artifact to keep. A failure is told to those who wait, and forgotten."""
    files: tuple[OutputFile, ...] = ()
    draft: Path | None = None
    """A directory from `ArtifactStore.draft` that holds the files instead."""
    output: bytes = b""
    """What the compiler said, kept beside the artifact."""
    facts: Facts | None = None
    """How the step ended that was to make it."""


class Obtained(Value):
    """What a caller gets."""

    artifact: Artifact | None
    """None if the build failed."""
    built: Built | None
    """What came of the build, without its files if they were kept; None if there was none."""
    cached: bool
    """It was there already."""
    joined: bool = False
    """Somebody else's build was under way."""

    @property
    def way(self) -> Literal["hit", "joined", "miss"]:
        """How it was obtained."""
        if self.cached:
            return "hit"
        return "joined" if self.joined else "miss"

    @property
    def failure(self) -> Facts | None:
        """How the build's step ended, if there is no artifact."""
        return None if self.built is None or self.built.ok else self.built.facts

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the build, if it was this caller's and its step is known."""
        if self.joined or self.built is None or self.built.facts is None:
            return 0.0
        return self.built.facts.usage.cpu_seconds

    @property
    def output(self) -> bytes:
        """What the compiler said, now or in its time."""
        if self.artifact is not None:
            return self.artifact.note
        return b"" if self.built is None else self.built.output


Build = Callable[[], Awaitable[Built]]


class CompileCache:
    """Looks up artifacts, and has each that is missing built once."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self._flights: SingleFlight[Id, Obtained] = SingleFlight()

    @asynccontextmanager
    async def obtain(self, language: str, key: str, build: Build) -> AsyncIterator[Obtained]:
        """Get an artifact from the store or from `build`; it stays while the block runs.

        Callers with the same key share one build, which is cancelled when all of them are.

        :raises ArtifactError: what was built cannot be kept
        :raises SandboxError: the store cannot be written, or the build was given up
        """
        with self.store.lease(language, key):  # before it exists, so that there is no gap
            yield await self._obtain((language, key), build)

    async def close(self) -> None:
        """Give up what is being built, and finish what is being written."""
        await self._flights.close()
        await self.store.close()

    async def _obtain(self, id: Id, build: Build) -> Obtained:
        if not self._flights.under_way(id):
            artifact = await self.store.get(*id)
            if artifact is not None:
                return Obtained(artifact=artifact, built=None, cached=True)
        obtained, joined = await self._flights.fly(id, lambda: self._build(id, build))
        return msgspec.structs.replace(obtained, joined=joined)

    async def _build(self, id: Id, build: Build) -> Obtained:
        built = await build()
        if not built.ok:
            if built.draft is not None:
                self.store.scrap(built.draft)
            return Obtained(artifact=None, built=built, cached=False)
        if built.draft is None:
            artifact = await self.store.put(*id, built.files, built.output)
        else:
            artifact = await self.store.put_draft(*id, built.draft, built.output)
        # The files would stay in memory as long as the caller's block.
        facts = built.facts and msgspec.structs.replace(built.facts, output_files=())
        slim = msgspec.structs.replace(built, files=(), facts=facts)
        return Obtained(artifact=artifact, built=slim, cached=False)
