import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from soulbox_core.api import tls
from soulbox_core.api.server import check_edges
from soulbox_core.api.tls import Certificate
from soulbox_core.errors import SettingsError
from soulbox_core.settings import Server
from tests.api.fakes import FakeRuns
from tests.api.listening import listening, no_connection, rest
from tests.api.test_connections import HEALTH
from tests.loop import on_loop

DAY = timedelta(days=1)


def make(
    folder: Path, name: str = "a", begins: timedelta = -DAY, ends: timedelta = 30 * DAY
) -> tuple[Path, Path]:
    """A certificate for localhost that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(_pem(key, serialization.NoEncryption()))
    return files


def _pem(
    key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def settings(files: tuple[Path, Path]) -> dict[str, str]:
    return {"tls_certificate": str(files[0]), "tls_key": str(files[1])}


def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@on_loop
async def test_requests_are_answered_over_tls(runs: FakeRuns, tmp_path: Path) -> None:
    files = make(tmp_path)
    async with listening(runs, **settings(files)) as port:
        async with httpx.AsyncClient(verify=trusting(files[0])) as client:
            answer = await client.get(f"https://localhost:{port}/healthz")
        assert answer.json()["status"] == "ok"
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trusting(files[0]), server_hostname="localhost"
        )
        spoken = writer.get_extra_info("ssl_object")
        assert spoken.selected_alpn_protocol() == "h2"
        assert spoken.version() == "TLSv1.3"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("sent", [HEALTH, b"\x16\x03\x01\x00", b""], ids=["http", "half", "none"])
@on_loop
async def test_who_does_not_speak_tls_is_closed_in_time_and_quietly(
    runs: FakeRuns, tmp_path: Path, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tls_files = settings(make(tmp_path))
    async with listening(runs, header_seconds=0.2, **tls_files) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(10):
            assert not (await rest(reader)).startswith(b"HTTP")
        writer.close()
        await no_connection()
    assert caplog.text == ""


@on_loop
async def test_old_versions_are_not_spoken(runs: FakeRuns, tmp_path: Path) -> None:
    files = make(tmp_path)
    context = trusting(files[0])
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listening(runs, **settings(files)) as port:
        with pytest.raises(OSError):  # noqa: PT011, which one depends on who gives up first
            await asyncio.open_connection("127.0.0.1", port, ssl=context)


def test_a_certificate_that_was_renewed_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.0)
    files = make(tmp_path)
    certificate = Certificate(*files)
    first = certificate.context()
    assert certificate.context() is first
    newer = make(tmp_path, "b")
    for old, new in zip(files, newer, strict=True):
        new.replace(old)
    second = certificate.context()
    assert second is not first
    files[1].write_bytes(b"half written")
    assert certificate.context() is second
    files[0].unlink()
    assert certificate.context() is second


def _locked(folder: Path) -> tuple[Path, Path]:
    files = make(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    files[1].write_bytes(_pem(key, serialization.BestAvailableEncryption(b"word")))
    return files


WRONG: dict[str, tuple[Callable[[Path], tuple[Path, Path]], str]] = {
    "missing": (lambda folder: (folder / "no.crt", folder / "no.key"), "No such file"),
    "not a certificate": (lambda folder: (make(folder)[1], make(folder)[1]), "no PEM certificate"),
    "not a key": (lambda folder: (make(folder)[0], make(folder, "b")[0]), "no PEM private key"),
    "another's key": (lambda folder: (make(folder)[0], make(folder, "b")[1]), "is not the key"),
    "password": (_locked, "has a password"),
    "over": (lambda folder: make(folder, begins=-2 * DAY, ends=-DAY), "renew it"),
    "to come": (lambda folder: make(folder, begins=DAY), "check the clock"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_used_stops_the_start(tmp_path: Path, kind: str) -> None:
    prepare, said = WRONG[kind]
    with pytest.raises(SettingsError, match=said):
        check_edges(Server(**settings(prepare(tmp_path))))  # type: ignore[arg-type]  # text only


@pytest.mark.parametrize("field", ["tls_certificate", "tls_key"])
def test_half_of_the_settings_stops_the_start(tmp_path: Path, field: str) -> None:
    with pytest.raises(SettingsError, match="or neither"):
        check_edges(Server(**{field: settings(make(tmp_path))[field]}))  # type: ignore[arg-type]  # text only


def test_a_certificate_that_ends_soon_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Certificate(*make(tmp_path, ends=3 * DAY))
    assert "ends on" in caplog.text
