"""The HTTP side on a fake service."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from soulbox_core.api.application import build
from soulbox_core.settings import Server, Settings
from tests.api.fakes import FakeCatalog, FakeRuns

SMALL = Server(request_bytes=20_000, held_bytes=40_000, source_bytes=5_000, files=4)


class Client:
    """Makes one request at a time, in this process."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, method: str, path: str, **request: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://soulbox") as client:
            return await client.request(method, path, **request)

    async def run(self, program: str | bytes | dict[str, Any], **request: Any) -> httpx.Response:
        """Run a program: its source, or a JSON body."""
        body = {"json": program} if isinstance(program, dict) else {"content": program}
        return await self("POST", "/v1/run/lua", **body, **request)


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def catalog() -> FakeCatalog:
    return FakeCatalog()


@pytest.fixture
def app(runs: FakeRuns, catalog: FakeCatalog) -> Starlette:
    return build(runs, catalog, Settings(server=SMALL))


@pytest.fixture
def client(app: Starlette) -> Client:
    return Client(app)
