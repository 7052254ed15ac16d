"""Every wrong token is refused in the same way."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from soulbox_core.errors import StoreError, Unauthenticated
from soulbox_core.identity.signing import OwnSigning
from soulbox_core.identity.tokens import LEEWAY_SECONDS, TOKEN_BYTES
from tests.identity.house import ISSUER, NOW, Clock, House, house
from tests.loop import on_loop


def signing_of(directory: Path) -> OwnSigning:
    return OwnSigning(directory / "signing", 610.0, Clock())


async def claims_of(home: House) -> dict[str, Any]:
    """The claims of a good token."""
    token = (await home.grant()).access_token
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def part(content: object) -> str:
    raw = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()


def signed(directory: Path, header: object, claims: object) -> str:
    """A token with any header and claims, really signed by our key."""
    body = f"{part(header)}.{part(claims)}"
    signature = signing_of(directory).current.private.sign(body.encode())
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def header(directory: Path, **changes: Any) -> dict[str, Any]:
    kid = signing_of(directory).current.id
    return {"alg": "EdDSA", "typ": "at+jwt", "kid": kid} | changes


async def assert_refused(home: House, token: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await home.caller(token)
    assert str(refusal.value) == str(Unauthenticated())


@on_loop
async def test_what_we_sign_ourselves_here_is_good(tmp_path: Path) -> None:
    """Or else the tests below would show nothing."""
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        await home.caller(signed(tmp_path, header(tmp_path), claims))


@on_loop
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody"},
        {"aud": ["somebody"]},
        {"aud": None},
        {"iss": "urn:soulbox:other"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"sub": "ffffffffffff"},
        {"sub": 7},
        {"sid": "ffff"},
        {"sid": None},
        {"sid": {"$ne": ""}},
        {"exp": NOW - LEEWAY_SECONDS - 1},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
        {"nbf": "soon"},
        {"iat": NOW + LEEWAY_SECONDS + 1},
        {"jti": None},
        {"scope": ["execute"]},
        {"scope": None},
    ],
)
async def test_wrong_claims(tmp_path: Path, changes: dict[str, Any]) -> None:
    async with house(tmp_path) as home:
        claims = await claims_of(home) | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        await assert_refused(home, signed(tmp_path, header(tmp_path), claims))


@on_loop
@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "scope", "iat", "nbf", "exp", "jti"])
async def test_missing_claims(tmp_path: Path, name: str) -> None:
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        del claims[name]
        await assert_refused(home, signed(tmp_path, header(tmp_path), claims))


@on_loop
@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": None},
        {"kid": "0" * 16},
        {"kid": None},
        {"kid": 7},
        {"kid": "../signing"},
        {"typ": "JWT"},
        {"typ": None},
        {"crit": ["exp"]},
        {"b64": False},
    ],
)
async def test_wrong_headers(tmp_path: Path, changes: dict[str, Any]) -> None:
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        await assert_refused(home, signed(tmp_path, header(tmp_path, **changes), claims))


@on_loop
async def test_a_token_without_a_signature(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        for algorithm in ("none", "None", "NONE", "EdDSA"):
            body = f"{part(header(tmp_path, alg=algorithm))}.{part(claims)}"
            await assert_refused(home, f"{body}.")
            await assert_refused(home, body)


@on_loop
async def test_key_confusion(tmp_path: Path) -> None:
    """Our public key, which everybody knows, taken for a shared secret."""
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        public = signing_of(tmp_path).current.public
        secrets = (
            public.public_bytes(Encoding.Raw, PublicFormat.Raw),
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            json.dumps(home.identity.jwks()).encode(),
        )
        for secret in secrets:
            body = f"{part(header(tmp_path, alg='HS256'))}.{part(claims)}"
            mac = hmac.new(secret, body.encode(), hashlib.sha256).digest()
            await assert_refused(home, f"{body}.{base64.urlsafe_b64encode(mac).decode()}")


@on_loop
async def test_keys_of_others(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        others: tuple[tuple[str, Any], ...] = (
            ("EdDSA", Ed25519PrivateKey.generate()),
            ("ES256", ec.generate_private_key(ec.SECP256R1())),
            ("RS256", rsa.generate_private_key(65537, 2048)),
        )
        for algorithm, key in others:
            named = header(tmp_path, alg=algorithm)
            await assert_refused(home, jwt.encode(claims, key, algorithm, headers=named))


@on_loop
async def test_a_header_that_brings_its_own_key(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        thief = Ed25519PrivateKey.generate()
        raw = thief.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": part(raw.hex()), "kid": "thief"}
        for changes in ({"jwk": jwk, "kid": "thief"}, {"jku": "https://thief.example/keys"}):
            named = header(tmp_path, **changes)
            await assert_refused(home, jwt.encode(claims, thief, "EdDSA", headers=named))


@on_loop
async def test_a_changed_token(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        token = (await home.grant()).access_token
        await home.caller(token)
        head, body, signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        for changed in (
            f"{head}.{part(claims | {'scope': 'admin execute'})}.{signature}",
            f"{head}.{body}.{signature[:-4]}AAAA",
            f"{head}.{body}",
            f"{head}.{body}.{signature}.{signature}",
            f"{head}..{signature}",
            f".{body}.{signature}",
            f"{head}.{part('[1]')}.{signature}",
            f"{head}.{part('{')}.{signature}",
            f"{part('[' * 5000)}.{body}.{signature}",
        ):
            await assert_refused(home, changed)


@on_loop
async def test_claims_that_are_there_twice(tmp_path: Path) -> None:
    """What is checked is what is used, whichever of the two that is."""
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        text = json.dumps(claims)
        doubled = text[:-1] + ', "exp": 1}'
        await assert_refused(home, signed(tmp_path, header(tmp_path), doubled))
        doubled = '{"scope": "admin", ' + text[1:]
        caller = await home.caller(signed(tmp_path, header(tmp_path), doubled))
        assert caller.scopes == {"execute"}


@on_loop
async def test_an_oversized_token(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        claims = await claims_of(home)
        await home.caller(signed(tmp_path, header(tmp_path), claims | {"x": "x" * 1000}))
        await assert_refused(
            home, signed(tmp_path, header(tmp_path), claims | {"x": "x" * TOKEN_BYTES})
        )


@on_loop
async def test_a_token_is_over_to_the_second_although_it_was_known(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        token = (await home.grant()).access_token
        home.clock.now = NOW + 599.0
        await home.caller(token)
        home.clock.now = NOW + 600.0
        await assert_refused(home, token)


@on_loop
async def test_a_new_signing_key_overlaps_the_old_one(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        old = (await home.grant()).access_token
        home.clock.now = NOW + 10.0
        kid = home.identity.rotate()
        new = (await home.grant()).access_token
        assert jwt.get_unverified_header(new)["kid"] == kid
        keys = home.identity.jwks()["keys"]
        assert isinstance(keys, list)
        assert [key["kid"] for key in keys][1:] == [kid]
        await home.caller(old)
        await home.caller(new)
    async with house(tmp_path, clock=home.clock) as home:
        await home.caller(old)
        home.clock.now = NOW + 700.0
        assert [key["kid"] for key in home.identity.jwks()["keys"]] == [kid]  # type: ignore[attr-defined]  # a list, as above
    assert len(list((tmp_path / "signing").iterdir())) == 1


@on_loop
async def test_others_can_verify_our_tokens(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        token = (await home.grant()).access_token
        key = jwt.PyJWKSet.from_dict(dict(home.identity.jwks()))[
            jwt.get_unverified_header(token)["kid"]
        ]
        claims = jwt.decode(
            token,
            key,
            algorithms=["EdDSA"],
            audience="soulbox",
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
        assert claims["iss"] == ISSUER


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_signing_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    signing_of(tmp_path)
    (file,) = (tmp_path / "signing").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(mode)
    with pytest.raises(StoreError, match="chmod 600"):
        signing_of(tmp_path)


def test_a_damaged_or_foreign_signing_key_is_refused(tmp_path: Path) -> None:
    signing_of(tmp_path)
    (file,) = (tmp_path / "signing").iterdir()
    good = file.read_bytes()
    file.write_bytes(b"-----BEGIN")
    with pytest.raises(StoreError, match="it is damaged"):
        signing_of(tmp_path)
    file.write_bytes(good)
    file.rename(file.with_name(f"{'1' * 12}-{'0' * 16}.pem"))
    with pytest.raises(StoreError, match="holds the key"):
        signing_of(tmp_path)
    for other in file.parent.iterdir():
        other.rename(file.with_name("mine.pem"))
    with pytest.raises(StoreError, match="not a signing key of ours"):
        signing_of(tmp_path)


def test_a_signing_key_does_not_tell_itself(tmp_path: Path) -> None:
    assert "private" not in repr(signing_of(tmp_path).current)
