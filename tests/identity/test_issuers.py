"""Tokens of outside issuers, whose keys come from a real server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from soulbox_core.errors import SettingsError, Unauthenticated
from soulbox_core.identity.issuers import AGAIN_SECONDS, STALE_SECONDS, KeySet
from soulbox_core.settings import Auth, Issuer
from tests.identity.house import NOW, House, house
from tests.loop import on_loop

ISSUER = "https://login.example.org/"
EDWARDS = ed25519.Ed25519PrivateKey.generate()
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


def described(algorithm: Any, key: Any, kid: str) -> dict[str, Any]:
    jwk: dict[str, Any] = json.loads(algorithm.to_jwk(key))
    return jwk | {"kid": kid}


PUBLIC = [
    described(OKPAlgorithm, EDWARDS.public_key(), "ed"),
    described(ECAlgorithm, ELLIPTIC.public_key(), "ec"),
    described(RSAAlgorithm, RSA.public_key(), "rsa"),
]


class KeyServer(ThreadingHTTPServer):
    """Answers with a key set, and counts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = json.dumps({"keys": PUBLIC}).encode()
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


class Answer(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        try:
            self.wfile.write(self.server.body)
        except ConnectionError:
            return  # whoever asked had enough

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer() as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def trusting(jwks: str, **changes: Any) -> Auth:
    usual = {"issuer": ISSUER, "audience": "soulbox", "jwks": jwks}
    return Auth(issuers=(Issuer(**(usual | changes)),))


def token(key: Any = EDWARDS, algorithm: str = "EdDSA", kid: str = "ed", **changes: Any) -> str:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "soulbox",
        "sub": "jo",
        "exp": int(NOW) + 60,
        "scope": "execute",
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


async def refused(home: House, credential: str) -> None:
    with pytest.raises(Unauthenticated):
        await home.caller(credential)


@on_loop
async def test_a_token_of_an_issuer_that_is_trusted(tmp_path: Path, server: KeyServer) -> None:
    async with house(tmp_path, trusting(server.url)) as home:
        caller = await home.caller(token(scope="execute openid", soulbox_policy="agents"))
        assert caller.id == f"token:{ISSUER}:jo"
        assert (set(caller.scopes), caller.policy) == ({"execute"}, "agents")
        caller = await home.caller(token(ELLIPTIC, "ES256", "ec", scope=["admin", 7]))
        assert (set(caller.scopes), caller.policy) == ({"admin"}, "default")
        caller = await home.caller(token(scope=None, aud=["other", "soulbox"]))
        assert caller.scopes == frozenset()
    assert server.asked == 1


@on_loop
async def test_keys_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": PUBLIC}))
    async with house(tmp_path, trusting(str(file), algorithms=("RS256",))) as home:
        assert (await home.caller(token(RSA, "RS256", "rsa"))).id == f"token:{ISSUER}:jo"
        await refused(home, token())


@on_loop
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example.org/"},
        {"aud": "other"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 257},
        {"exp": None},
        {"exp": int(NOW) - 6},
        {"exp": 10**400},
        {"exp": -1},
        {"exp": float("inf")},
        {"nbf": int(NOW) + 6},
        {"iat": int(NOW) + 6},
        {"nbf": float("nan")},
        {"soulbox_policy": ["agents"]},
        {"kid": "unknown"},
        {"kid": "ec"},
        {"key": ed25519.Ed25519PrivateKey.generate()},
        {"key": RSA, "algorithm": "RS256", "kid": "rsa"},
    ],
    ids=str,
)
async def test_tokens_that_are_no_good(
    tmp_path: Path, server: KeyServer, changes: dict[str, Any]
) -> None:
    async with house(tmp_path, trusting(server.url)) as home:
        await refused(home, token(**changes))
        await home.caller(token())


@on_loop
async def test_a_public_key_is_no_shared_secret(tmp_path: Path, server: KeyServer) -> None:
    header = {"alg": "HS256", "kid": "ed"}
    raw = EDWARDS.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signer = jwt.PyJWS()
    payload = json.dumps({"iss": ISSUER, "aud": "soulbox", "sub": "jo", "exp": NOW + 60}).encode()
    async with house(tmp_path, trusting(server.url)) as home:
        await refused(home, signer.encode(payload, raw, "HS256", header))
    async with house(tmp_path, trusting(server.url)) as home:
        await refused(home, signer.encode(payload, "", "none", {"kid": "ed"}))


@on_loop
async def test_a_shared_secret_in_a_key_set_is_no_key(tmp_path: Path, server: KeyServer) -> None:
    secret = {"kty": "oct", "kid": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
    private = described(OKPAlgorithm, EDWARDS, "private")
    broken = {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "?", "y": "?"}
    server.body = json.dumps({"keys": [secret, private, broken, "nonsense", *PUBLIC]}).encode()
    async with house(tmp_path, trusting(server.url)) as home:
        for kid in ("oct", "private", "broken"):
            await refused(home, token(kid=kid))
        await home.caller(token())


@on_loop
@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {}, b"{}"),
        (200, {}, b"[]"),
        (200, {}, b'{"keys": 7}'),
        (200, {}, b"not json"),
        (200, {}, b"[" * 100_000),
        (200, {}, b" " * (2 << 20)),
        (404, {}, b""),
        (302, {"location": "https://elsewhere.example.org/"}, b""),
    ],
    ids=["no keys", "list", "number", "text", "deep", "large", "missing", "redirect"],
)
async def test_a_key_set_that_is_none_is_asked_for_once(
    tmp_path: Path, server: KeyServer, status: int, headers: dict[str, str], body: bytes
) -> None:
    server.status, server.headers, server.body = status, headers, body
    async with house(tmp_path, trusting(server.url)) as home:
        for _ in range(3):
            await refused(home, token())
    assert server.asked == 1


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@on_loop
async def test_unknown_keys_are_looked_for_once_a_minute(server: KeyServer) -> None:
    ticks = Ticks()
    keys = KeySet(server.url, ticks)
    for number in range(10):
        assert await keys.find(f"unknown{number}") is None
    assert server.asked == 1
    server.body = json.dumps({"keys": [PUBLIC[0] | {"kid": "new"}]}).encode()
    ticks.now += AGAIN_SECONDS
    assert await keys.find("new") is not None
    assert server.asked == 2


@on_loop
async def test_a_key_is_taken_back_and_an_outage_is_not(server: KeyServer) -> None:
    ticks = Ticks()
    keys = KeySet(server.url, ticks)
    assert await keys.find("ed") is not None
    server.status = 500
    ticks.now += STALE_SECONDS
    assert await keys.find("ed") is not None
    server.status = 200
    server.body = json.dumps({"keys": PUBLIC[1:]}).encode()
    ticks.now += STALE_SECONDS
    assert await keys.find("ed") is None
    assert await keys.find("ec") is not None


@pytest.mark.parametrize("place", ["http://login.example.org/jwks", "ftp://127.0.0.1/jwks"])
def test_keys_come_over_a_wire_that_can_be_trusted(place: str) -> None:
    with pytest.raises(SettingsError, match="must begin with https://"):
        KeySet(place)
