import asyncio
import os
from pathlib import Path

import pytest

from soulbox_core.errors import ArtifactError, SandboxError
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.execution.compile_cache import Built, CompileCache, Obtained
from soulbox_core.model import OutputFile
from tests.execution.artifact_samples import FILES, LUA, NOTE, UNIT, file, key
from tests.fakes import facts
from tests.loop import on_loop, settle

ROOM = 64 << 20
GOOD = Built(ok=True, files=FILES, output=NOTE)
BAD = Built(ok=False, output=b"main.x:1: no", facts=facts(exit_code=1))


class Builder:
    """Counts builds; each ends as it is told to, once it may go on."""

    def __init__(self, outcome: Built | Exception = GOOD, *, held: bool = False) -> None:
        self.outcome = outcome
        self.begun = 0
        self.cancelled = 0
        self.go = asyncio.Event()
        if not held:
            self.go.set()

    async def __call__(self) -> Built:
        self.begun += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def cache(tmp_path: Path) -> CompileCache:
    return CompileCache(ArtifactStore(tmp_path / "store", ROOM))


async def obtain(cache: CompileCache, build: Builder, number: int = 1) -> Obtained:
    async with cache.obtain(LUA, key(number), build) as obtained:
        return obtained


def asked(cache: CompileCache, build: Builder, number: int = 1) -> "asyncio.Task[Obtained]":
    return asyncio.create_task(obtain(cache, build, number))


@on_loop
async def test_the_first_builds_and_the_second_finds(cache: CompileCache) -> None:
    build = Builder()
    first, second = await obtain(cache, build), await obtain(cache, build)
    assert first.artifact == second.artifact is not None
    assert (first.cached, second.cached) == (False, True)
    assert (first.output, second.output) == (NOTE, NOTE)
    assert first.built is not None
    assert second.built is None
    assert build.begun == 1
    assert (cache.store.stats().hits, cache.store.stats().misses) == (1, 1)


@on_loop
async def test_what_was_built_is_not_held_in_memory_besides(cache: CompileCache) -> None:
    obtained = await obtain(cache, Builder())
    assert obtained.built is not None
    assert obtained.built.files == ()


@on_loop
async def test_it_is_found_after_a_restart(cache: CompileCache, tmp_path: Path) -> None:
    await obtain(cache, Builder())
    again = CompileCache(ArtifactStore(tmp_path / "store", ROOM))
    build = Builder()
    assert (await obtain(again, build)).cached
    assert build.begun == 0


@on_loop
async def test_callers_at_once_cause_one_build(cache: CompileCache) -> None:
    build = Builder(held=True)
    callers = [asked(cache, build) for _ in range(8)]
    await settle()
    build.go.set()
    obtained = await asyncio.gather(*callers)
    assert build.begun == 1
    assert [each.joined for each in obtained] == [False] + [True] * 7
    assert not any(each.cached for each in obtained)
    assert len({id(each.artifact) for each in obtained}) == 1
    assert cache.store.stats().misses == 1


@on_loop
async def test_different_keys_are_built_side_by_side(cache: CompileCache) -> None:
    slow, quick = Builder(held=True), Builder()
    waiting = asked(cache, slow, 1)
    await obtain(cache, quick, 2)
    assert not waiting.done()
    slow.go.set()
    assert (await waiting).artifact is not None


@on_loop
async def test_a_failed_build_is_shared_and_forgotten(cache: CompileCache) -> None:
    build = Builder(BAD, held=True)
    callers = [asked(cache, build) for _ in range(3)]
    await settle()
    build.go.set()
    for obtained in await asyncio.gather(*callers):
        assert obtained.artifact is None
        assert obtained.built == BAD
        assert obtained.failure == BAD.facts
        assert obtained.output == BAD.output
        assert not obtained.cached
    assert build.begun == 1
    build.outcome = GOOD
    assert (await obtain(cache, build)).artifact is not None
    assert build.begun == 2


@on_loop
async def test_an_exception_of_the_build_goes_to_all(cache: CompileCache) -> None:
    build = Builder(SandboxError("no cell"), held=True)
    callers = [asked(cache, build) for _ in range(3)]
    await settle()
    build.go.set()
    for caller in callers:
        with pytest.raises(SandboxError, match="no cell"):
            await caller
    assert build.begun == 1


@on_loop
async def test_what_cannot_be_kept_goes_to_all(cache: CompileCache) -> None:
    hostile = Built(ok=True, files=(OutputFile(path="../x", content=b""),))
    build = Builder(hostile, held=True)
    callers = [asked(cache, build) for _ in range(2)]
    await settle()
    build.go.set()
    for caller in callers:
        with pytest.raises(ArtifactError):
            await caller


@on_loop
async def test_a_caller_who_leaves_does_not_stop_the_others_build(cache: CompileCache) -> None:
    build = Builder(held=True)
    first, second = asked(cache, build), asked(cache, build)
    await settle()
    first.cancel()
    await settle()
    build.go.set()
    assert (await second).artifact is not None
    assert first.cancelled()
    assert (build.begun, build.cancelled) == (1, 0)


@on_loop
async def test_a_build_that_nobody_waits_for_is_stopped(cache: CompileCache) -> None:
    build = Builder(held=True)
    callers = [asked(cache, build) for _ in range(2)]
    await settle()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await settle()
    assert (build.begun, build.cancelled) == (1, 1)
    build.go.set()
    assert not (await obtain(cache, build)).cached
    assert build.begun == 2


@on_loop
async def test_a_damaged_artifact_is_built_again_once(cache: CompileCache) -> None:
    build = Builder()
    obtained = await obtain(cache, build)
    assert obtained.artifact is not None
    (Path(obtained.artifact.directory) / "main").unlink()
    again = await asyncio.gather(*(obtain(cache, build) for _ in range(4)))
    assert all(each.artifact == obtained.artifact for each in again)
    assert build.begun == 2
    assert cache.store.stats().damaged == 1


@on_loop
async def test_what_a_caller_got_stays_until_the_end_of_its_block(tmp_path: Path) -> None:
    cache = CompileCache(ArtifactStore(tmp_path / "store", UNIT))
    build = Builder(Built(ok=True, files=file(1)))
    async with cache.obtain(LUA, key(1), build) as first:
        async with cache.obtain(LUA, key(1), build) as same:
            assert same.cached
        await asyncio.gather(*(obtain(cache, build, number) for number in range(2, 9)))
        assert first.artifact is not None
        assert (Path(first.artifact.directory) / "main").read_bytes() == b"x"
        assert (await obtain(cache, build, 1)).cached
    await cache.close()
    assert cache.store.stats().entries == 1


@on_loop
async def test_all_who_joined_have_it_before_it_can_be_evicted(tmp_path: Path) -> None:
    """The room is for one artifact and others are put all the time."""
    cache = CompileCache(ArtifactStore(tmp_path / "store", UNIT))
    build = Builder(Built(ok=True, files=file(1)))

    async def use(number: int) -> bytes:
        async with cache.obtain(LUA, key(number), build) as obtained:
            await asyncio.sleep(0)
            assert obtained.artifact is not None
            return (Path(obtained.artifact.directory) / "main").read_bytes()

    uses = [use(number) for number in (1, 2, 3) * 20]
    assert await asyncio.gather(*uses) == [b"x"] * 60


@on_loop
async def test_a_draft_becomes_the_artifact(cache: CompileCache, tmp_path: Path) -> None:
    draft = await cache.store.draft()
    (draft / "main").write_bytes(b"x")
    build = Builder(Built(ok=True, draft=draft, output=NOTE))
    obtained = await obtain(cache, build)
    assert obtained.artifact is not None
    assert obtained.output == NOTE
    assert (Path(obtained.artifact.directory) / "main").read_bytes() == b"x"
    assert (await obtain(cache, build)).cached
    await cache.close()
    assert os.listdir(tmp_path / "store" / ".tmp") == []


@on_loop
async def test_the_draft_of_a_failed_build_is_deleted(cache: CompileCache, tmp_path: Path) -> None:
    draft = await cache.store.draft()
    (draft / "half").write_bytes(b"x")
    obtained = await obtain(cache, Builder(Built(ok=False, draft=draft, facts=BAD.facts)))
    assert obtained.artifact is None
    assert obtained.failure == BAD.facts
    await cache.close()
    assert os.listdir(tmp_path / "store" / ".tmp") == []


@on_loop
async def test_closing_stops_builds(cache: CompileCache) -> None:
    build = Builder(held=True)
    caller = asked(cache, build)
    await settle()
    await cache.close()
    assert build.cancelled == 1
    with pytest.raises(SandboxError):
        await caller
