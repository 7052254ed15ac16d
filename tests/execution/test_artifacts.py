import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from soulbox_core.errors import ArtifactError, ArtifactTooLarge, HostError, SandboxError
from soulbox_core.execution import artifact_index, artifact_tree
from soulbox_core.execution.artifacts import Artifact, ArtifactStore
from soulbox_core.model import OutputFile
from tests.execution.artifact_samples import FILES, LUA, NOTE, UNIT, file, key
from tests.loop import on_loop, settle

ROOM = 64 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def entry(root: Path, number: int = 1) -> Path:
    return root / LUA / key(number)


def manifest(root: Path, number: int = 1) -> Path:
    return root / ".meta" / LUA / f"{key(number)}.json"


def contents(artifact: Artifact | None) -> dict[str, bytes]:
    assert artifact is not None
    top = Path(artifact.directory)
    files = (path for path in top.rglob("*") if path.is_file())
    return {str(path.relative_to(top)): path.read_bytes() for path in files}


FILES_AS_READ = {each.path: each.content for each in FILES}


async def put(store: ArtifactStore, number: int, files: tuple[OutputFile, ...] = FILES) -> Artifact:
    return await store.put(LUA, key(number), files, NOTE)


def there(root: Path, *numbers: int) -> list[int]:
    """Which of them are there, without using any."""
    return [number for number in numbers if entry(root, number).exists()]


def modes(root: Path) -> dict[str, int]:
    paths = (root, *root.rglob("*"))
    return {str(path.relative_to(root.parent)): stat.S_IMODE(path.stat().st_mode) for path in paths}


def nothing_is_left_over(root: Path) -> bool:
    entries = {path.name for path in (root / LUA).iterdir()}
    manifests = {path.stem for path in (root / ".meta" / LUA).iterdir()}
    return entries == manifests and os.listdir(root / ".tmp") == []


# -- putting and getting -----------------------------------------------------------------------


@on_loop
async def test_what_is_put_is_got(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    assert await store.get(LUA, key(1)) is None
    assert not store.has(LUA, key(1))
    made = await put(store, 1)
    assert store.has(LUA, key(1))
    found = await store.get(LUA, key(1))
    assert found == made
    assert made.note == NOTE
    assert made.directory == str(entry(root))
    assert contents(found) == FILES_AS_READ
    stats = store.stats()
    assert (stats.hits, stats.misses, stats.entries, stats.bytes) == (1, 1, 1, made.size_bytes)
    assert nothing_is_left_over(root)


@on_loop
async def test_an_artifact_without_files_is_one(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    assert await put(store, 1, ()) == await store.get(LUA, key(1))
    assert list(entry(root).iterdir()) == []


@on_loop
async def test_languages_do_not_see_each_other_s_artifacts(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    await put(store, 1)
    assert await store.get("luau", key(1)) is None


@on_loop
async def test_what_was_there_first_stays(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    first = await put(store, 1)
    assert await store.put(LUA, key(1), file(1), b"another") == first
    assert contents(await store.get(LUA, key(1))) == FILES_AS_READ


@on_loop
async def test_of_two_puts_at_once_one_stays(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    artifacts = await asyncio.gather(*(put(store, 1) for _ in range(8)))
    assert artifacts == [artifacts[0]] * 8
    assert (store.stats().entries, store.stats().bytes) == (1, artifacts[0].size_bytes)
    assert nothing_is_left_over(root)


@on_loop
async def test_many_puts_at_once_all_arrive(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    await asyncio.gather(*(put(store, number) for number in range(40)))
    for number in range(40):
        assert contents(await store.get(LUA, key(number))) == FILES_AS_READ


@on_loop
async def test_a_put_goes_on_when_its_caller_leaves(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    leaving = asyncio.create_task(put(store, 1))
    await settle()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await store.close()
    assert contents(await store.get(LUA, key(1))) == FILES_AS_READ


@pytest.mark.parametrize("path", ["../escape", "/etc/passwd", "a/../b", "", "a\0"])
@on_loop
async def test_a_hostile_path_is_refused_and_leaves_nothing(root: Path, path: str) -> None:
    store = ArtifactStore(root, ROOM)
    with pytest.raises(ArtifactError):
        await put(store, 1, (*FILES, OutputFile(path=path, content=b"x")))
    assert await store.get(LUA, key(1)) is None
    assert os.listdir(root / ".tmp") == []
    assert sorted(os.listdir(root)) == [".meta", ".secret", ".tmp"]


@pytest.mark.parametrize(
    ("language", "name"),
    [("..", key(1)), ("", key(1)), (".meta", key(1)), (LUA, ".."), (LUA, ""), (LUA, "a/b"),
     (LUA, key(1) + "\n"), (LUA, key(1).replace("0", "A"))],
)  # fmt: skip
@on_loop
async def test_a_name_that_is_none_is_a_mistake(root: Path, language: str, name: str) -> None:
    store = ArtifactStore(root, ROOM)
    assert await store.get(language, name) is None
    with pytest.raises(ValueError, match="no artifact can be called"):
        await store.put(language, name, FILES, NOTE)
    with pytest.raises(ValueError, match="no artifact can be called"):
        await store.put_draft(language, name, await store.draft(), NOTE)


@on_loop
async def test_a_long_note_comes_back_whole(root: Path) -> None:
    note = b"\xff warning\n" * 2000
    store = ArtifactStore(root, ROOM)
    await store.put(LUA, key(1), FILES, note)
    for opened in (store, ArtifactStore(root, ROOM)):
        for _ in range(2):
            found = await opened.get(LUA, key(1))
            assert found is not None
            assert found.note == note


@on_loop
async def test_a_use_of_a_small_artifact_wakes_no_thread(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ArtifactStore(root, ROOM)
    await put(store, 1)
    monkeypatch.setattr(asyncio, "to_thread", None)
    assert await store.get(LUA, key(1)) is not None


# -- drafts ------------------------------------------------------------------------------------


def fill(draft: Path, files: tuple[OutputFile, ...] = FILES) -> None:
    for each in files:
        path = draft / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.content)


@on_loop
async def test_a_draft_is_kept_as_if_its_files_had_been_put(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    put_as_files = await put(store, 1)
    draft = await store.draft()
    fill(draft)
    made = await store.put_draft(LUA, key(2), draft, NOTE)
    await store.close()
    assert made == await store.get(LUA, key(2))
    assert contents(made) == FILES_AS_READ
    assert made.size_bytes == put_as_files.size_bytes
    assert modes(entry(root, 2))[key(2)] == 0o755
    assert [*modes(entry(root, 1)).values()] == [*modes(entry(root, 2)).values()]
    assert nothing_is_left_over(root)
    assert await ArtifactStore(root, ROOM).get(LUA, key(2)) == made


@on_loop
async def test_nobody_else_sees_a_draft(root: Path) -> None:
    draft = await ArtifactStore(root, ROOM).draft()
    assert draft.is_relative_to(root / ".tmp")
    assert stat.S_IMODE(draft.stat().st_mode) == 0o700


@on_loop
async def test_a_draft_for_a_name_that_is_taken_goes(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    first = await put(store, 1)
    draft = await store.draft()
    fill(draft, file(1))
    assert await store.put_draft(LUA, key(1), draft, NOTE) == first
    assert contents(await store.get(LUA, key(1))) == FILES_AS_READ
    await store.close()
    assert nothing_is_left_over(root)


def add_link(draft: Path) -> None:
    (draft / "link").symlink_to("/etc/passwd")


def add_linked_directory(draft: Path) -> None:
    (draft / "link").symlink_to("/etc")


def add_fifo(draft: Path) -> None:
    os.mkfifo(draft / "fifo")


def add_empty_directory(draft: Path) -> None:
    (draft / "lib" / "nothing").mkdir()


def add_depth(draft: Path) -> None:
    fill(draft, (OutputFile(path="a/" * 64 + "a", content=b""),))


@pytest.mark.parametrize(
    "add", [add_link, add_linked_directory, add_fifo, add_empty_directory, add_depth]
)
@on_loop
async def test_a_draft_with_more_than_files_is_refused(
    root: Path, add: Callable[[Path], None]
) -> None:
    store = ArtifactStore(root, ROOM)
    draft = await store.draft()
    fill(draft)
    add(draft)
    with pytest.raises(ArtifactError):
        await store.put_draft(LUA, key(1), draft, NOTE)
    await store.close()
    assert not store.has(LUA, key(1))
    assert os.listdir(root / ".tmp") == []


@on_loop
async def test_a_draft_that_is_larger_than_all_the_room_is_refused(root: Path) -> None:
    store = ArtifactStore(root, 3 * UNIT)
    draft = await store.draft()
    fill(draft, file(4 * UNIT))
    with pytest.raises(ArtifactTooLarge):
        await store.put_draft(LUA, key(1), draft, NOTE)
    await store.close()
    assert os.listdir(root / ".tmp") == []


@on_loop
async def test_drafts_that_were_not_put_are_swept(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    fill(await store.draft())
    scrapped = await store.draft()
    store.scrap(scrapped)
    await store.close()
    assert len(os.listdir(root / ".tmp")) == 1
    ArtifactStore(root, ROOM)
    assert os.listdir(root / ".tmp") == []


# -- who may see what --------------------------------------------------------------------------


@on_loop
async def test_cells_may_open_what_they_know_and_list_nothing(root: Path) -> None:
    before = os.umask(0o077)
    try:
        (root / "luau").mkdir(parents=True)  # as an earlier life may have left it
        store = ArtifactStore(root, ROOM)
        await put(store, 1)
    finally:
        os.umask(before)
    name = f"store/lua/{key(1)}"
    assert modes(root) == {
        "store": 0o700,
        "store/.secret": 0o600,
        "store/.tmp": 0o700,
        "store/.meta": 0o700,
        "store/.meta/lua": 0o700,
        f"store/.meta/lua/{key(1)}.json": 0o600,
        "store/.meta/luau": 0o700,
        "store/luau": 0o711,
        "store/lua": 0o711,
        name: 0o755,
        f"{name}/lib": 0o755,
        f"{name}/main": 0o555,
        f"{name}/lib/a.so": 0o555,
        f"{name}/lib/empty": 0o555,
    }


@on_loop
async def test_a_language_s_directory_is_never_replaced(root: Path) -> None:
    """It is mounted into containers: in another one of its name they would see nothing."""
    store = ArtifactStore(root, UNIT)
    (root / LUA).mkdir()
    inode = (root / LUA).stat().st_ino
    for number in range(3):
        await put(store, number, file(1))
    await store.close()
    store = ArtifactStore(root, UNIT)
    assert (root / LUA).stat().st_ino == inode


# -- restarts ----------------------------------------------------------------------------------


@on_loop
async def test_artifacts_and_secret_survive_a_restart(root: Path) -> None:
    first = ArtifactStore(root, ROOM)
    made = await put(first, 1)
    second = ArtifactStore(root, ROOM)
    assert second.secret == first.secret
    assert second.stats().bytes == first.stats().bytes
    assert await second.get(LUA, key(1)) == made
    assert await second.get(LUA, key(1)) == made
    assert (second.stats().hits, second.stats().damaged) == (2, 0)


@on_loop
async def test_what_is_half_made_or_unknown_is_swept(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    await put(store, 1)
    (root / ".tmp" / "half").mkdir()
    (root / ".tmp" / "half" / "main").write_bytes(b"x")
    (root / ".tmp" / "file").write_bytes(b"x")
    entry(root, 2).mkdir()  # without a manifest
    manifest(root, 3).write_bytes(manifest(root, 1).read_bytes())  # without files
    (root / LUA / "notes").mkdir()
    (root / LUA / f"{key(4)}.json").write_bytes(b"x")
    (root / ".meta" / LUA / "notes.json").write_bytes(b"x")
    (root / "README").write_bytes(b"not ours")
    store = ArtifactStore(root, ROOM)
    assert nothing_is_left_over(root)
    assert os.listdir(root / LUA) == [key(1)]
    assert (root / "README").exists()
    assert (store.stats().entries, store.stats().damaged) == (1, 0)
    assert await put(store, 2) == await store.get(LUA, key(2))


@on_loop
async def test_a_smaller_room_is_kept_to_from_the_start(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    for number in (1, 2, 3):
        await put(store, number, file(1))
        os.utime(manifest(root, number), (number, number))
    store = ArtifactStore(root, 2 * UNIT + 4096)
    assert there(root, 1, 2, 3) == [2, 3]
    assert store.stats().evictions == 1
    assert nothing_is_left_over(root)


def test_a_root_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HostError, match="file/store"):
        ArtifactStore(tmp_path / "file" / "store", ROOM)


@on_loop
async def test_a_file_system_that_refuses_is_our_failure(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    (root / LUA).write_bytes(b"in the way")
    with pytest.raises(SandboxError, match=r"artifact store: .*/lua"):
        await put(store, 1)
    assert os.listdir(root / ".tmp") == []
    (root / LUA).unlink()
    assert await put(store, 1) == await store.get(LUA, key(1))


# -- damage ------------------------------------------------------------------------------------


def rewrite(path: Path, change: Callable[[bytearray], object]) -> None:
    """Change a file's content in place, and let its mode and time be as before."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    change(content)
    path.chmod(0o700)
    path.write_bytes(content)
    path.chmod(stat.S_IMODE(before.st_mode))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(path: Path) -> None:
    rewrite(path, lambda content: content.__delitem__(slice(-1, None)))


def empty(path: Path) -> None:
    rewrite(path, bytearray.clear)


def flip(path: Path) -> None:
    rewrite(path, lambda content: content.__setitem__(len(content) // 2, content[2] ^ 1))


def link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.with_name("moved").rename(path.parents[3] / "elsewhere")
    path.symlink_to(path.parents[3] / "elsewhere")


def move(path: Path) -> None:
    path.rename(path.with_name("moved"))


SEEN_AT_ANY_USE = {
    "a truncated file": lambda root: truncate(entry(root) / "main"),
    "a missing file": lambda root: (entry(root) / "main").unlink(),
    "a missing file of a directory": lambda root: (entry(root) / "lib" / "empty").unlink(),
    "an extra file": lambda root: (entry(root) / "extra").touch(),
    "an extra file in a directory": lambda root: (entry(root) / "lib" / "extra").touch(),
    "an extra directory": lambda root: (entry(root) / "extra").mkdir(),
    "a renamed file": lambda root: move(entry(root) / "main"),
    "a renamed directory": lambda root: move(entry(root) / "lib"),
    "a link in place of a file": lambda root: link(entry(root) / "main"),
    "a file that cannot be executed": lambda root: (entry(root) / "main").chmod(0o444),
    "a file that can be written": lambda root: (entry(root) / "main").chmod(0o777),
    "a directory that can be written": lambda root: (entry(root) / "lib").chmod(0o777),
}
SEEN_AT_THE_FIRST_USE = {
    "a flipped bit": lambda root: flip(entry(root) / "main"),
    "a flipped bit in a directory": lambda root: flip(entry(root) / "lib" / "a.so"),
    "a flipped bit of the manifest": lambda root: flip(manifest(root)),
    "a truncated manifest": lambda root: truncate(manifest(root)),
    "an empty manifest": lambda root: empty(manifest(root)),
    "an empty file": lambda root: empty(entry(root) / "main"),
}


async def is_made_again(root: Path, store: ArtifactStore) -> None:
    assert await store.get(LUA, key(1)) is None
    assert (store.stats().damaged, store.stats().hits) == (1, 0)
    await store.close()
    assert nothing_is_left_over(root)
    assert not entry(root).exists()
    assert store.stats().entries == 1
    assert contents(await put(store, 1)) == FILES_AS_READ
    assert contents(await store.get(LUA, key(1))) == FILES_AS_READ
    assert store.stats().damaged == 1


@pytest.mark.parametrize("damage", SEEN_AT_ANY_USE | SEEN_AT_THE_FIRST_USE)
@on_loop
async def test_damage_is_found_at_the_first_use_after_a_restart(root: Path, damage: str) -> None:
    store = ArtifactStore(root, ROOM)
    await put(store, 1)
    await put(store, 2)
    (SEEN_AT_ANY_USE | SEEN_AT_THE_FIRST_USE)[damage](root)
    await is_made_again(root, ArtifactStore(root, ROOM))


@pytest.mark.parametrize("damage", SEEN_AT_ANY_USE)
@on_loop
async def test_damage_is_found_at_any_later_use(root: Path, damage: str) -> None:
    store = ArtifactStore(root, ROOM)
    await put(store, 1)
    await put(store, 2)
    await asyncio.sleep(0.02)  # file times go by the kernel's tick
    SEEN_AT_ANY_USE[damage](root)
    await is_made_again(root, store)


@on_loop
async def test_those_who_look_at_once_after_a_restart_read_it_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await put(ArtifactStore(root, ROOM), 1)
    store = ArtifactStore(root, ROOM)
    readings: list[str] = []
    verify = artifact_tree.verify

    def counted(top: str, records: tuple[artifact_tree.Record, ...]) -> artifact_tree.Looks:
        readings.append(top)
        return verify(top, records)

    monkeypatch.setattr(artifact_tree, "verify", counted)
    assert await asyncio.gather(*(store.get(LUA, key(1)) for _ in range(8))) == [made] * 8
    assert readings == [made.directory]


@on_loop
async def test_damage_that_many_find_at_once_counts_once(root: Path) -> None:
    await put(ArtifactStore(root, ROOM), 1)
    flip(entry(root) / "main")
    store = ArtifactStore(root, ROOM)
    assert await asyncio.gather(*(store.get(LUA, key(1)) for _ in range(8))) == [None] * 8
    assert (store.stats().damaged, store.stats().entries, store.stats().bytes) == (1, 0, 0)


@on_loop
async def test_an_artifact_of_many_files_is_looked_at_now_and_then(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(OutputFile(path=f"{n}.class", content=b"x") for n in range(100))
    store = ArtifactStore(root, ROOM)
    await put(store, 1, many)
    (entry(root) / "99.class").unlink()
    assert await store.get(LUA, key(1)) is not None  # it was looked at just now
    monkeypatch.setattr(artifact_index, "TRUST_SECONDS", 0.0)
    assert await store.get(LUA, key(1)) is None
    assert store.stats().damaged == 1


# -- room --------------------------------------------------------------------------------------


@on_loop
async def test_the_longest_unused_makes_room(root: Path) -> None:
    store = ArtifactStore(root, 3 * UNIT)
    for number in (1, 2, 3):
        await put(store, number, file(1))
    await store.get(LUA, key(1))
    await put(store, 4, file(1))
    await store.close()
    assert there(root, 1, 2, 3, 4) == [1, 3, 4]
    assert await store.get(LUA, key(2)) is None
    stats = store.stats()
    assert (stats.evictions, stats.entries) == (1, 3)
    assert stats.bytes <= 3 * UNIT
    assert nothing_is_left_over(root)


@on_loop
async def test_the_number_of_artifacts_is_bounded_too(root: Path) -> None:
    store = ArtifactStore(root, ROOM, max_entries=2)
    for number in (1, 2, 3):
        await put(store, number, ())
    assert there(root, 1, 2, 3) == [2, 3]


@on_loop
async def test_what_is_larger_than_all_the_room_is_refused(root: Path) -> None:
    store = ArtifactStore(root, 4 * UNIT)
    await put(store, 1, file(1))
    with pytest.raises(ArtifactTooLarge) as caught:
        await put(store, 2, file(4 * UNIT))
    assert caught.value.size_bytes > caught.value.max_bytes == 4 * UNIT
    assert there(root, 1, 2) == [1]
    assert nothing_is_left_over(root)


@on_loop
async def test_the_order_of_use_survives_a_restart(root: Path) -> None:
    store = ArtifactStore(root, ROOM)
    for number in (1, 2, 3):
        await put(store, number, file(1))
        os.utime(manifest(root, number), (number, number))
    store = ArtifactStore(root, ROOM)
    await store.get(LUA, key(1))
    await store.close()
    store = ArtifactStore(root, 3 * UNIT + 4096)
    await put(store, 4, file(1))
    assert there(root, 1, 2, 3, 4) == [1, 3, 4]


@on_loop
async def test_a_use_is_written_down_once_a_minute_at_most(root: Path) -> None:
    await put(ArtifactStore(root, ROOM), 1)
    os.utime(manifest(root), (1, 1))
    store = ArtifactStore(root, ROOM)
    await store.get(LUA, key(1))
    await store.close()
    assert manifest(root).stat().st_mtime > 1
    os.utime(manifest(root), (1, 1))
    await store.get(LUA, key(1))
    await store.close()
    assert manifest(root).stat().st_mtime == 1


@on_loop
async def test_what_is_leased_stays_and_the_next_goes(root: Path) -> None:
    store = ArtifactStore(root, 2 * UNIT)
    await put(store, 1, file(1))
    await put(store, 2, file(1))
    with store.lease(LUA, key(1)), store.lease(LUA, key(1)):
        await put(store, 3, file(1))
    assert there(root, 1, 2, 3) == [1, 3]
    await put(store, 4, file(1))
    assert there(root, 1, 3, 4) == [3, 4]


@on_loop
async def test_leases_may_take_more_room_for_as_long_as_they_last(root: Path) -> None:
    store = ArtifactStore(root, 2 * UNIT)
    with store.lease(LUA, key(1)):
        with store.lease(LUA, key(2)):  # before it is there
            await put(store, 1, file(UNIT // 2))
            await put(store, 2, file(UNIT // 2))
            assert there(root, 1, 2) == [1, 2]
            assert store.stats().bytes > 2 * UNIT
        await store.close()
        assert there(root, 1, 2) == [1]
    assert store.stats().bytes <= 2 * UNIT
    assert nothing_is_left_over(root)


@on_loop
async def test_an_evicted_artifact_can_be_put_again_at_once(root: Path) -> None:
    store = ArtifactStore(root, UNIT)
    for _ in range(5):
        for number in (1, 2):
            await put(store, number, file(1))
            assert contents(await store.get(LUA, key(number))) == {"main": b"x"}
    await store.close()
    assert nothing_is_left_over(root)
    assert store.stats().evictions == 9
