"""Puts artifacts, and is killed at its first, second, third ... call that changes the file system.

Each life has a directory of its own. Prints for each a line: the numbers of the artifacts whose
put had returned. The last life is not killed.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from soulbox_core.execution.artifacts import ArtifactStore
from tests.execution.artifact_samples import FILES, LUA, NOTE, key

CALLS = ("mkdir", "open", "chmod", "fchmod", "rename", "unlink", "rmdir", "utime")
PUTS = 4
ROOM = 100_000
"""For three of the four artifacts."""


def die_at(number: int) -> None:
    """Have this process killed when one of the calls is made for so many times."""
    count = 0

    def dying(call: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counted

    for name in CALLS:
        setattr(os, name, dying(getattr(os, name)))


async def put_all(root: Path, done: int) -> None:
    store = ArtifactStore(root, ROOM)
    for number in range(PUTS):
        await store.put(LUA, key(number), FILES, NOTE)
        os.write(done, b"%d " % number)
    await store.close()


def live(root: Path, number: int) -> bool:
    """Whether the life ended by itself."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        die_at(number)
        asyncio.run(put_all(root, writer))
        os._exit(0)
    os.close(writer)
    with open(reader) as done:
        print(done.read(), flush=True)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status == 0


def main(root: Path) -> None:
    number = 1
    while not live(root / str(number), number):
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
