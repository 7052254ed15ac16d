import pytest

from soulbox_core.api.application import build
from soulbox_core.api.cors import Origins
from soulbox_core.errors import SettingsError
from soulbox_core.settings import Server, Settings
from tests.api.conftest import Client
from tests.api.driver import Socket
from tests.api.fakes import FakeCatalog, FakeGate, FakeRuns
from tests.loop import on_loop

PAGE = "https://notebook.example.org"
ASKING = {"access-control-request-method": "POST", "access-control-request-headers": "x-a"}


def client(*origins: str, credential: str | None = None) -> Client:
    settings = Settings(server=Server(cors_origins=origins))
    return Client(build(FakeRuns(), FakeCatalog(), FakeGate(credential), settings))


@on_loop
async def test_no_page_may_read_anything_unasked() -> None:
    answer = await client()("GET", "/healthz", headers={"origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "vary" not in answer.headers
    asked = await client()("OPTIONS", "/v1/run/lua", headers={"origin": PAGE} | ASKING)
    assert asked.status_code == 405


@on_loop
async def test_a_page_of_a_listed_origin_may_read_answers_and_refusals() -> None:
    for path, status in (("/healthz", 200), ("/nowhere", 404)):
        answer = await client(PAGE)("GET", path, headers={"origin": PAGE})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["vary"] == "Origin"
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", PAGE + ".evil.example", PAGE.upper(), PAGE + "/", ""]
)
@on_loop
async def test_another_origin_is_another(origin: str) -> None:
    answer = await client(PAGE)("GET", "/healthz", headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"
    asked = await client(PAGE)("OPTIONS", "/v1/run/lua", headers={"origin": origin} | ASKING)
    assert asked.status_code == 405


@on_loop
async def test_asking_first_takes_no_credential() -> None:
    asked = client(PAGE, credential="sbx_good")
    answer = await asked("OPTIONS", "/v1/run/lua", headers={"origin": PAGE} | ASKING)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert (await asked.run("out hi", headers={"origin": PAGE})).status_code == 401


@on_loop
async def test_a_page_of_a_listed_origin_may_open_a_websocket() -> None:
    settings = Settings(server=Server(cors_origins=(PAGE,)))
    app = build(FakeRuns(), FakeCatalog(), FakeGate(), settings)
    for origin, kind in (
        (PAGE, "websocket.accept"),
        ("https://evil.example", "websocket.http.response.start"),
    ):
        headers = [(b"origin", origin.encode()), (b"sec-fetch-site", b"cross-site")]
        async with Socket(app, "/v1/run/lua", headers=headers) as socket:
            assert (await socket.take())["type"] == kind


@pytest.mark.parametrize("wrong", ["*", "null", "https://*.example.org", PAGE + "/", "a.example"])
def test_what_is_no_origin_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="cors_origins"):
        Origins((wrong,))
