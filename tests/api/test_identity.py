"""The paths about who callers are, on a real database, behind a real gate."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from soulbox_core.api.application import build
from soulbox_core.api.extras import Extras
from soulbox_core.quotas.limiter import MemoryLimiter
from soulbox_core.service.gate import Gate
from soulbox_core.service.policy import Policies
from soulbox_core.settings import PolicySettings, Settings
from tests.api.conftest import Client
from tests.api.fakes import FakeCatalog, FakeRuns
from tests.identity.house import House, house
from tests.loop import on_loop

SETTINGS = Settings(policies={"agents": PolicySettings()})
JSON = {"content-type": "application/json"}


class Door:
    def __init__(self, client: Client, home: House) -> None:
        self.client = client
        self.home = home

    async def ask(
        self, method: str, path: str, key: str | None = None, body: object = None
    ) -> httpx.Response:
        headers = dict(JSON) if body is not None else {}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        content = b"" if body is None else json.dumps(body).encode()
        return await self.client(method, path, content=content, headers=headers)


@asynccontextmanager
async def door(directory: Path) -> AsyncIterator[Door]:
    async with house(directory) as home:
        identity = home.identity
        gate = Gate(identity.authenticator, MemoryLimiter(), Policies(SETTINGS), SETTINGS.rates)
        app = build(FakeRuns(), FakeCatalog(), gate, SETTINGS, Extras(identity=identity))
        yield Door(Client(app), home)


def plain(answer: httpx.Response) -> dict[str, Any]:
    """A problem without what tells requests apart."""
    problem: dict[str, Any] = answer.json()
    problem.pop("instance")
    return problem


@on_loop
async def test_a_key_is_traded_refreshed_and_revoked(tmp_path: Path) -> None:
    async with door(tmp_path) as to:
        _, key = await to.home.key()
        answer = await to.ask("POST", "/v1/auth/token", key)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        first = answer.json()
        assert (first["token_type"], first["expires_in"], first["scope"]) == (
            "Bearer",
            600,
            "execute",
        )
        assert (await to.ask("GET", "/v1/languages", first["access_token"])).status_code == 200
        body = {"refresh_token": first["refresh_token"]}
        second = (await to.ask("POST", "/v1/auth/refresh", body=body)).json()
        assert (await to.ask("GET", "/v1/languages", second["access_token"])).status_code == 200
        for token in (second["refresh_token"], "nonsense"):
            answer = await to.ask("POST", "/v1/auth/revoke", body={"token": token})
            assert (answer.status_code, answer.json()) == (200, {"revoked": True})
        assert (await to.ask("GET", "/v1/languages", second["access_token"])).status_code == 401


@on_loop
async def test_every_refusal_is_word_for_word_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with door(tmp_path) as to:
        id, key = await to.home.key()
        _, over = await to.home.key(expires_at=to.home.clock.now)
        grant = await to.home.identity.grant(key, None)
        await to.home.identity.revoke_key(id)
        shown = (
            key,
            over,
            grant.access_token,
            grant.refresh_token,
            grant.access_token[:-4] + "AAAA",
            "a.b.c",
            "x" * 9000,
            "",
            None,
        )
        answers = [await to.ask("GET", "/v1/languages", each) for each in shown]
        answers.append(await to.ask("POST", "/v1/auth/token", key))
        answers.append(
            await to.ask("POST", "/v1/auth/refresh", body={"refresh_token": grant.refresh_token})
        )
        assert {answer.status_code for answer in answers} == {401}
        assert all("bearer" in answer.headers["www-authenticate"].lower() for answer in answers)
        problems = [plain(answer) for answer in answers]
        assert all(problem == problems[0] for problem in problems)
        for secret in filter(None, shown[:5]):
            assert secret not in caplog.text


@on_loop
async def test_admins_and_nobody_else_make_list_and_revoke_keys(tmp_path: Path) -> None:
    async with door(tmp_path) as to:
        _, admin = await to.home.key(("admin",))
        _, other = await to.home.key()
        for method, path in (
            ("POST", "/v1/keys"),
            ("GET", "/v1/keys"),
            ("DELETE", "/v1/keys/0123456789ab"),
            ("POST", "/v1/auth/rotate"),
        ):
            assert (await to.ask(method, path, other)).status_code == 403
            assert (await to.ask(method, path)).status_code == 401
        body = {
            "name": "ci",
            "policy": "agents",
            "expires_in": 1e9,
        }  # from now, not from the clock of the house
        answer = await to.ask("POST", "/v1/keys", admin, body)
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        made = answer.json()
        assert (await to.ask("GET", "/v1/languages", made["key"])).status_code == 200
        listed = (await to.ask("GET", "/v1/keys", admin)).json()["keys"]
        assert [each["name"] for each in listed] == ["mine", "mine", "ci"]
        assert all("key" not in each and "digest" not in each for each in listed)
        path = f"/v1/keys/{made['id']}"
        assert (await to.ask("DELETE", path, admin)).json()["revoked_at"] is not None
        assert (await to.ask("GET", "/v1/languages", made["key"])).status_code == 401
        assert (await to.ask("DELETE", "/v1/keys/nobody", admin)).status_code == 404


@on_loop
async def test_rotating_the_signing_key_leaves_tokens_good(tmp_path: Path) -> None:
    async with door(tmp_path) as to:
        _, admin = await to.home.key(("admin", "execute"))
        token = (await to.ask("POST", "/v1/auth/token", admin)).json()["access_token"]
        kid = (await to.ask("POST", "/v1/auth/rotate", admin)).json()["kid"]
        keys = (await to.ask("GET", "/.well-known/jwks.json")).json()["keys"]
        assert len(keys) == 2
        assert keys[-1]["kid"] == kid
        assert all("d" not in key for key in keys)
        assert (await to.ask("GET", "/v1/languages", token)).status_code == 200


@on_loop
@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/auth/token", {"scope": "admin"}, 400),
        ("/v1/auth/token", {"scope": 7}, 400),
        ("/v1/auth/token", {"more": 1}, 400),
        ("/v1/auth/refresh", {}, 400),
        ("/v1/auth/refresh", {"refresh_token": ""}, 400),
        ("/v1/auth/refresh", {"refresh_token": "x" * 8193}, 400),
        ("/v1/auth/refresh", {"refresh_token": "x" * (17 << 10)}, 413),
        ("/v1/auth/revoke", [], 400),
    ],
)
async def test_what_is_not_asked_properly(
    tmp_path: Path, path: str, body: object, status: int
) -> None:
    async with door(tmp_path) as to:
        _, key = await to.home.key()
        assert (await to.ask("POST", path, key, body)).status_code == status


@on_loop
async def test_where_nobody_is_asked_who_they_are_these_paths_are_not_there() -> None:
    gate = Gate(None, MemoryLimiter(), Policies(SETTINGS), SETTINGS.rates)
    client = Client(build(FakeRuns(), FakeCatalog(), gate, SETTINGS))
    for path in ("/v1/keys", "/.well-known/jwks.json"):
        assert (await client("GET", path)).status_code == 404
