"""Reading records of a caller who has many."""

import asyncio
import json
import os
import shutil
import socket
import time
from pathlib import Path

from bench import http
from bench.measure import Sample, timed
from bench.service import serving
from soulbox_core import settings
from soulbox_core.identity.running import DATABASE
from soulbox_core.model import Timings, Usage
from soulbox_core.service.ids import new_id
from soulbox_core.store.opening import open_database
from soulbox_core.store.records import Execution

RECORDS = 100_000
_INSTANCE = "bench-listing"
_CALLER = "address:127.0.0.1"
_BATCH = 5000


def pages(count: int) -> Sample:
    """The first page, over HTTP."""
    directory = Path(settings.load(env=os.environ).state_dir, "instances", _INSTANCE)
    shutil.rmtree(directory, ignore_errors=True)
    asyncio.run(_fill(directory / DATABASE))
    try:
        with serving(_INSTANCE, f"records.most={2 * RECORDS}") as service:
            client = http.Client(service.port)
            head = f"GET /v1/executions?limit=20 HTTP/1.1\r\nhost: 127.0.0.1:{service.port}\r\n\r\n"
            page = json.loads(client.send(head.encode()))
            assert len(page["executions"]) == 20, page
            return timed(lambda: client.send(head.encode()), count)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _fill(directory: Path) -> None:
    async with open_database(settings.Database(), directory) as stores:
        for start in range(0, RECORDS, _BATCH):
            batch = [_record(number) for number in range(start, start + _BATCH)]
            await stores.executions.add(f"bench-{start}", batch)


def _record(number: int) -> Execution:
    return Execution(
        id=new_id(),
        caller=_CALLER,
        language="python",
        status="ok" if number % 10 else "failed",
        created_at=time.time(),
        node=socket.gethostname(),
        request_id=f"{number:016x}",
        exit_code=0 if number % 10 else 1,
        usage=Usage(wall_seconds=0.01, cpu_seconds=0.01, memory_peak_bytes=1 << 20),
        timings=Timings(
            queue_seconds=0.0,
            install_seconds=None,
            compile_seconds=None,
            claim_seconds=0.0,
            run_seconds=0.01,
        ),
    )
