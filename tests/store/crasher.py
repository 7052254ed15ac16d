"""Writes keys into a database, tells of each that was written, and is killed some time."""

import asyncio
import sys
from pathlib import Path

from soulbox_core.settings import Database
from soulbox_core.store.opening import open_database
from tests.store.samples import api_key


async def main(directory: str) -> None:
    async with open_database(Database(), Path(directory)) as stores:
        for number in range(100_000):
            await stores.identities.put_key(api_key(id=f"{number:012x}"))
            print(number, flush=True)


asyncio.run(main(sys.argv[1]))
