"""A service that is killed loses nothing that was put, and leaves nothing half made."""

import os
import subprocess
import sys
from pathlib import Path

from soulbox_core.execution.artifacts import ArtifactStore
from tests.execution.artifact_crasher import PUTS, ROOM
from tests.execution.artifact_samples import FILES, LUA, NOTE, key
from tests.loop import on_loop

REPOSITORY = Path(__file__).parents[2]


@on_loop
async def test_a_kill_at_any_moment_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.execution.artifact_crasher", str(tmp_path))
    lives = subprocess.run(  # noqa: ASYNC221, there is nothing else to do meanwhile
        command, cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert len(lives) > 20 * PUTS, "a put makes more calls than that"
    for number, done in enumerate(lives, 1):
        await is_whole(tmp_path / str(number), {int(word) for word in done.split()})


async def is_whole(root: Path, done: set[int]) -> None:
    store = ArtifactStore(root, ROOM)
    (root / LUA).mkdir(exist_ok=True)
    (root / ".meta" / LUA).mkdir(exist_ok=True)
    entries = set(os.listdir(root / LUA))
    assert entries == {name[:-5] for name in os.listdir(root / ".meta" / LUA)}
    assert os.listdir(root / ".tmp") == []
    assert sorted(os.listdir(root)) == [".meta", ".secret", ".tmp", LUA]
    assert store.stats().damaged == 0
    evictable = {0} if PUTS - 2 in done else set()  # it goes when the last one comes
    for number in range(PUTS):
        artifact = await store.get(LUA, key(number))
        if artifact is None:
            assert number not in done - evictable
        else:
            assert artifact.note == NOTE
            assert has_all_files(Path(artifact.directory))
    assert store.stats().damaged == 0
    assert await store.put(LUA, key(PUTS), FILES, NOTE) == await store.get(LUA, key(PUTS))


def has_all_files(top: Path) -> bool:
    return all((top / file.path).read_bytes() == file.content for file in FILES)
