import logging
import re
from pathlib import Path

import pytest

from soulbox_core.errors import InvalidRequest, Unauthenticated
from soulbox_core.model import Caller
from tests.identity.house import NOW, house
from tests.loop import on_loop


@on_loop
async def test_a_key_is_its_caller(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        id, text = await home.key(("execute", "admin"))
        assert re.fullmatch(rf"sbx_{id}_[A-Za-z0-9_-]{{43}}", text)
        caller = Caller(id=f"key:{id}", scopes=frozenset(("execute", "admin")), policy="agents")
        assert await home.caller(text) == caller
    async with house(tmp_path) as home:
        assert await home.caller(text) == caller


@on_loop
async def test_what_is_no_key_is_nobodys(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        id, text = await home.key()
        other, _ = await home.key()
        wrong = (
            "",
            "sbx_",
            text[:-1],
            text + "a",
            text[:-1] + ("a" if text[-1] != "a" else "b"),
            text.replace(id, other),
            text.upper(),
            text + "\n",
            f"sbx_{'0' * 12}_{'a' * 43}",
            "sbx_" + "é" * 56,
        )
        for credential in wrong:
            with pytest.raises(Unauthenticated):
                await home.caller(credential)


@on_loop
async def test_a_key_is_over_when_it_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        _, text = await home.key(expires_at=NOW + 10.0)
        home.clock.now = NOW + 9.9
        await home.caller(text)
        home.clock.now = NOW + 10.0
        with pytest.raises(Unauthenticated):
            await home.caller(text)


@on_loop
async def test_a_revoked_key_is_refused_at_the_next_request_and_for_ever(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        id, text = await home.key()
        _, other = await home.key()
        await home.caller(text)
        revoked = await home.identity.revoke_key(id)
        assert revoked is not None
        assert revoked.revoked_at == NOW
        home.clock.now += 5.0
        assert await home.identity.revoke_key(id) == revoked
        with pytest.raises(Unauthenticated):
            await home.caller(text)
        await home.caller(other)
    async with house(tmp_path) as home:
        with pytest.raises(Unauthenticated):
            await home.caller(text)


@on_loop
async def test_a_key_that_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        assert await home.identity.revoke_key("nobody") is None


@on_loop
@pytest.mark.parametrize(
    ("scopes", "policy", "message"),
    [
        (("root",), "default", "no scope 'root'"),
        ((), "default", "needs a scope"),
        (("execute",), "gone", "no policy 'gone'"),
    ],
)
async def test_a_key_for_what_is_not_there_is_not_made(
    tmp_path: Path, scopes: tuple[str, ...], policy: str, message: str
) -> None:
    async with house(tmp_path) as home:
        with pytest.raises(InvalidRequest, match=message):
            await home.identity.create_key("x", scopes, policy)
        assert await home.identity.keys() == ()


@on_loop
async def test_the_first_key_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "first-key"
    async with house(tmp_path) as home:
        text = await home.identity.make_first_key()
        assert text is not None
        assert file.read_text() == f"{text}\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert (await home.caller(text)).scopes == {"execute", "admin"}
        assert await home.identity.make_first_key() is None
    async with house(tmp_path) as home:
        assert await home.identity.make_first_key() is None
        (key,) = await home.identity.keys()
        await home.key()
        other, _ = await home.key()
        await home.identity.revoke_key(other)
        assert file.exists()
        await home.identity.revoke_key(key.id)
        assert not file.exists()
        assert await home.identity.make_first_key() is None


def written(directory: Path) -> bytes:
    """All that is in the files below a directory."""
    return b"".join(file.read_bytes() for file in directory.rglob("*") if file.is_file())


@on_loop
async def test_no_secret_is_kept_or_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with house(tmp_path) as home:
        _, text = await home.key()
        grant = await home.identity.grant(text, None)
        await home.identity.refresh(grant.refresh_token)
        for credential in (text + "x", grant.access_token + "x", grant.refresh_token):
            with pytest.raises(Unauthenticated) as refusal:
                await home.caller(credential)
            assert credential not in str(refusal.value)
        await home.identity.revoke("nonsense")
        told = f"{await home.identity.keys()} {grant} {caplog.text}"
    kept = written(tmp_path)
    for secret in (text[17:], grant.refresh_token[37:], grant.access_token):
        assert secret not in told
        assert secret.encode() not in kept


@on_loop
@pytest.mark.parametrize("name", ["a\0b", "a\nb", "a\x1b[2J", "a\u202eb"])
async def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    async with house(tmp_path) as home:
        with pytest.raises(InvalidRequest, match="printable"):
            await home.identity.create_key(name)
        assert await home.identity.keys() == ()


@on_loop
async def test_a_scope_is_there_once(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        key, _ = await home.identity.create_key("x", ("execute", "execute"))
        assert key.scopes == ("execute",)
