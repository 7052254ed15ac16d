"""Adds batches of records to a database, tells of each that was kept, and is killed some time."""

import asyncio
import sys
from pathlib import Path

from soulbox_core.settings import Database
from soulbox_core.store.opening import open_database
from tests.store.samples import execution

BATCH = 7


async def main(directory: str) -> None:
    async with open_database(Database(), Path(directory)) as stores:
        for number in range(10_000):
            batch = [execution(number * BATCH + each) for each in range(BATCH)]
            await stores.executions.add(f"b{number}", batch)
            print(number, flush=True)


asyncio.run(main(sys.argv[1]))
