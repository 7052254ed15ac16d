"""Rewrites a database and is killed at a step of it: at the n-th call of a function."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soulbox_core.store import generations
from soulbox_core.store.embedded import Embedded, open_embedded
from soulbox_core.store.engine import Engine
from soulbox_core.store.migrations import migrate
from soulbox_core.store.rewriting import Rewriting
from soulbox_core.store.tally import Tally

STEPS: dict[str, tuple[Any, str]] = {
    "ask": (Engine, "ask"),
    "propose": (generations, "propose"),
    "sync": (os, "fsync"),
    "appoint": (generations, "appoint"),
    "move": (Embedded, "move"),
    "settle": (generations, "settle"),
    "let_go": (Engine, "let_go"),
    "drop": (generations, "drop"),
    "unlink": (os, "unlink"),
}


def killed_at(call: Callable[..., Any], times: int) -> Callable[..., Any]:
    """The same function, whose n-th call nobody survives."""
    left = times

    def counted(*args: Any, **keywords: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **keywords)

    return counted


async def main(directory: str, step: str, times: int) -> None:
    async with open_embedded(Path(directory)) as database:
        await migrate(database)
        where, name = STEPS[step]
        setattr(where, name, killed_at(getattr(where, name), times))
        await Rewriting(database, Tally()).rewrite()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
