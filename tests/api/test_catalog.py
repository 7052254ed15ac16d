import pytest

from tests.api.conftest import Client
from tests.api.fakes import FakeCatalog
from tests.loop import on_loop


@on_loop
async def test_the_languages_are_told_with_the_plugins_at_fault(client: Client) -> None:
    answer = await client("GET", "/v1/languages")
    assert answer.json() == {
        "languages": [
            {
                "name": "lua",
                "title": "Lua",
                "aliases": ["lua5"],
                "version": "Lua 5.4",
                "ready": True,
                "preloads": [],
                "source_file": "main.lua",
                "options": [],
                "compiled": False,
                "dependencies": False,
            }
        ],
        "faults": [{"plugin": "cobol", "detail": "it broke"}],
    }


@on_loop
async def test_the_process_is_alive_even_while_nothing_is_ready(
    client: Client, catalog: FakeCatalog
) -> None:
    catalog.is_ready = False
    answer = await client("GET", "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("ready", "status", "word"), [(True, 200, "ready"), (False, 503, "starting")]
)
@on_loop
async def test_readiness_is_told_as_it_is_now(
    client: Client, catalog: FakeCatalog, ready: bool, status: int, word: str
) -> None:
    catalog.is_ready = ready
    answer = await client("GET", "/readyz")
    assert answer.status_code == status
    assert answer.json() == {
        "status": word,
        "languages": {"lua": ready},
        "database": None,
    }


@on_loop
async def test_who_stops_soon_is_not_ready_and_its_languages_are(
    client: Client, catalog: FakeCatalog
) -> None:
    catalog.is_stopping = True
    answer = await client("GET", "/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "stopping")
    assert answer.json()["languages"] == {"lua": True}


@pytest.mark.parametrize("path", ["/v1/languages", "/healthz", "/readyz", "/openapi.json", "/docs"])
@on_loop
async def test_head_has_the_headers_of_get(client: Client, path: str) -> None:
    head, get = await client("HEAD", path), await client("GET", path)
    assert head.status_code == get.status_code == 200
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers[name] == get.headers[name]
