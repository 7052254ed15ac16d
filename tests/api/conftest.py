"""The HTTP side on a fake service."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from soulbox_core.api.application import build
from soulbox_core.model import Limits
from soulbox_core.settings import Ceiling, LimitSettings, Server, Settings
from tests.api.fakes import FakeCatalog, FakeGate, FakeRuns

SMALL = Settings(
    server=Server(request_bytes=20_000, held_bytes=64 << 20, source_bytes=5_000, files=4)
)


def holding(runs: FakeRuns, size: int, request_bytes: int = 20_000) -> Starlette:
    """The application with so many bytes to hold."""
    ceiling = Ceiling(output_bytes=Limits().output_bytes)
    settings = Settings(
        server=Server(request_bytes=request_bytes, held_bytes=size),
        limits=LimitSettings(ceiling=ceiling),
    )
    return build(runs, FakeCatalog(), FakeGate(), settings)


class Client:
    """Makes one request at a time, in this process."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, method: str, path: str, **request: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
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
    return build(runs, catalog, FakeGate(), SMALL)


@pytest.fixture
def client(app: Starlette) -> Client:
    return Client(app)
