import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from soulbox_core import request_id
from soulbox_core.api.application import build
from soulbox_core.model import Caller, Outcome, RunRequest
from soulbox_core.settings import Settings
from tests.api.conftest import Client
from tests.api.fakes import FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop


@pytest.fixture
def lines() -> list[str]:
    return []


class Lines(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(f"{record.getMessage()} {request_id.current()}".rstrip())


class Talking(FakeRuns):
    """Logs from a task of its own, as builds do."""

    async def execute(
        self,
        request: RunRequest,
        caller: Caller,
        stdin: AsyncIterator[bytes] | None = None,
        idempotency_key: str | None = None,
    ) -> Outcome:
        await asyncio.create_task(self._say())
        return await super().execute(request, caller)

    async def _say(self) -> None:
        logging.getLogger("soulbox.test").warning("said")


@on_loop
async def test_every_line_of_a_request_has_its_id(lines: list[str]) -> None:
    logger = logging.getLogger("soulbox.test")
    handler = Lines(lines)
    logger.addHandler(handler)
    try:
        client = Client(build(Talking(), FakeCatalog(), FakeGate(), Settings()))

        async def one(name: str) -> None:
            await client.run("out hi", headers={"x-request-id": name})

        async with asyncio.TaskGroup() as group:
            for name in ("one", "two"):
                group.create_task(one(name))
        logger.warning("outside")
    finally:
        logger.removeHandler(handler)
    assert sorted(lines) == [
        "outside",
        "said one",
        "said two",
    ]
    assert request_id.current() == ""
