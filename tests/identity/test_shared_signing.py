"""Nodes that are given the same key take each other's tokens, and keys that are not safe stop the
start."""

import os
import stat
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from soulbox_core.errors import RequestError, SettingsError, Unauthenticated
from soulbox_core.identity.opening import open_identity
from soulbox_core.identity.shared_signing import SharedSigning, check_rights
from soulbox_core.settings import Auth, load
from tests.identity.house import POLICIES, Clock, House
from tests.identity.shared import FRESH, FRESHNESS, SharedStore
from tests.loop import on_loop

ISSUER = "https://box.example.org"
OURS = 1000
ROOT = 0


def private_pem(
    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def public_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def kept(file: Path, pem: bytes, mode: int = 0o600) -> str:
    with suppress(FileNotFoundError):
        file.unlink()
    file.touch(mode)
    file.chmod(mode)
    file.write_bytes(pem)
    return str(file)


def new_key(file: Path) -> tuple[str, str]:
    """A new key's file, and one with its public half."""
    key = Ed25519PrivateKey.generate()
    public = file.with_name(f"{file.name}.pub")
    return kept(file, private_pem(key)), kept(public, public_pem(key), 0o644)


class Nodes:
    """Those of one service, each with a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self._store = SharedStore()
        self._directory = directory

    async def start(self, name: str, signing: str, *verifying: str) -> House:
        settings = Auth(issuer=ISSUER, signing_key=signing, verifying_keys=verifying)
        identity = await open_identity(
            settings,
            self._store,
            self._directory / name,
            f"urn:soulbox:{name}",
            POLICIES,
            self.clock,
            freshness=FRESHNESS,
        )
        return House(identity, self.clock)


@on_loop
async def test_a_token_of_one_node_is_good_on_another_and_its_end_too(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    signing, _ = new_key(tmp_path / "key.pem")
    one = await nodes.start("one", signing)
    two = await nodes.start("two", signing)
    assert one.identity.jwks() == two.identity.jwks()
    grant = await one.grant()
    claims = jwt.decode(grant.access_token, options={"verify_signature": False})
    assert claims["iss"] == ISSUER
    assert await two.caller(grant.access_token) == await one.caller(grant.access_token)
    await two.identity.revoke(grant.access_token)
    with pytest.raises(Unauthenticated):
        await two.caller(grant.access_token)
    nodes.clock.now += FRESH
    with pytest.raises(Unauthenticated):
        await one.caller(grant.access_token)


@on_loop
async def test_a_key_is_changed_node_by_node_and_no_token_is_refused(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    old, old_public = new_key(tmp_path / "old.pem")
    new, new_public = new_key(tmp_path / "new.pem")
    steps = ((old,), (old, new_public), (new, old_public), (new,))
    for before, after in pairwise(steps):
        one = await nodes.start("one", *before)
        two = await nodes.start("two", *after)
        tokens = [(await node.grant()).access_token for node in (one, two)]
        for node in (one, two):
            for token in tokens:
                await node.caller(token)


@on_loop
async def test_a_token_of_a_key_that_was_taken_away_is_refused(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    stolen, _ = new_key(tmp_path / "old.pem")
    new, _ = new_key(tmp_path / "new.pem")
    token = (await (await nodes.start("one", stolen)).grant()).access_token
    with pytest.raises(Unauthenticated):
        await (await nodes.start("two", new)).caller(token)


@on_loop
async def test_a_node_with_keys_of_its_own_takes_no_token_of_the_others(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    signing, _ = new_key(tmp_path / "key.pem")
    shared = await nodes.start("one", signing)
    alone = await nodes.start("two", "")
    for giver, taker in ((shared, alone), (alone, shared)):
        with pytest.raises(Unauthenticated):
            await taker.caller((await giver.grant()).access_token)


def test_no_key_is_made_where_one_is_given(tmp_path: Path) -> None:
    signing, _ = new_key(tmp_path / "key.pem")
    shared = SharedSigning(signing, ())
    with pytest.raises(RequestError, match=r"auth\.signing_key"):
        shared.rotate()
    assert [each["kid"] for each in shared.jwks()["keys"]] == [shared.current.id]
    assert "private" not in repr(shared.current)


def test_a_key_set_has_each_key_once(tmp_path: Path) -> None:
    signing, public = new_key(tmp_path / "key.pem")
    other, _ = new_key(tmp_path / "other.pem")
    shared = SharedSigning(signing, (public, other, other))
    assert len(shared.jwks()["keys"]) == 2
    assert shared.find("0" * 16) is None


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (b"", "it is damaged"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "it is damaged"),
        (private_pem(ec.generate_private_key(ec.SECP256R1())), "not an Ed25519 key"),
        (private_pem(Ed25519PrivateKey.generate()) * 2, "more than one key"),
        (
            private_pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x")),
            "it is damaged, or no private key",
        ),
        (public_pem(Ed25519PrivateKey.generate()), "no private key"),
    ],
)
def test_what_does_not_sign_stops_the_start(tmp_path: Path, pem: bytes, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"auth\.signing_key: .*{said}"):
        SharedSigning(kept(tmp_path / "key.pem", pem), ())


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (b"", "it is damaged"),
        (public_pem(ec.generate_private_key(ec.SECP256R1())), "not an Ed25519 key"),
        (public_pem(Ed25519PrivateKey.generate()) * 2, "more than one key"),
    ],
)
def test_what_does_not_verify_stops_the_start(tmp_path: Path, pem: bytes, said: str) -> None:
    signing, _ = new_key(tmp_path / "key.pem")
    with pytest.raises(SettingsError, match=rf"auth\.verifying_keys: .*{said}"):
        SharedSigning(signing, (kept(tmp_path / "other.pem", pem),))


def test_a_key_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.pem: No such file"):
        SharedSigning(str(tmp_path / "nowhere.pem"), ())
    with pytest.raises(SettingsError, match="directory"):
        SharedSigning(str(tmp_path), ())
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SettingsError, match="must be a file"):
        SharedSigning(str(tmp_path / "fifo"), ())


@pytest.mark.parametrize("mode", [0o602, 0o604, 0o606, 0o620, 0o666])
def test_a_key_that_others_may_read_or_change_stops_the_start(tmp_path: Path, mode: int) -> None:
    file, _ = new_key(tmp_path / "key.pem")
    Path(file).chmod(mode)
    with pytest.raises(SettingsError, match="others may read or change it"):
        SharedSigning(file, ())
    good, _ = new_key(tmp_path / "good.pem")
    with pytest.raises(SettingsError, match=r"auth\.verifying_keys"):
        SharedSigning(good, (file,))


@pytest.mark.parametrize(
    ("mode", "owner", "secret", "good"),
    [
        (0o600, OURS, True, True),
        (0o400, OURS, True, True),
        (0o640, OURS, True, False),
        (0o640, ROOT, True, True),
        (0o440, ROOT, True, True),
        (0o660, ROOT, True, False),
        (0o644, ROOT, True, False),
        (0o600, OURS + 1, True, False),
        (0o644, OURS, False, True),
        (0o644, ROOT, False, True),
        (0o664, OURS, False, False),
        (0o646, OURS, False, False),
        (0o644, OURS + 1, False, False),
    ],
)
def test_who_may_read_and_change_a_key(mode: int, owner: int, secret: bool, good: bool) -> None:
    found = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, owner, 1, 100, 0, 0, 0))
    if good:
        check_rights(found, OURS, secret=secret)
    else:
        with pytest.raises(ValueError, match=r"may read or change it|must belong"):
            check_rights(found, OURS, secret=secret)


def test_a_mounted_secret_is_a_link_to_a_file(tmp_path: Path) -> None:
    file, _ = new_key(tmp_path / "key.pem")
    (tmp_path / "linked.pem").symlink_to(file)
    assert SharedSigning(str(tmp_path / "linked.pem"), ()).current.id


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("auth.signing_key=/k.pem",), "needs auth.issuer"),
        (("auth.issuer=urn:x", 'auth.verifying_keys=["/k.pem"]'), "needs auth.signing_key"),
        (("auth.issuer=two words",), "auth.issuer"),
    ],
)
def test_settings_that_make_no_sense_are_said(flags: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(flags=flags)


@on_loop
async def test_an_outside_issuer_cannot_have_our_name(tmp_path: Path) -> None:
    signing, _ = new_key(tmp_path / "key.pem")
    table = f'[{{issuer="{ISSUER}",audience="a",jwks="/nowhere"}}]'
    loaded = load(
        flags=(f"auth.issuer={ISSUER}", f"auth.signing_key={signing}", f"auth.issuers={table}")
    )
    with pytest.raises(SettingsError, match="is there twice"):
        await open_identity(loaded.auth, SharedStore(), tmp_path, "urn:x", POLICIES, Clock())
