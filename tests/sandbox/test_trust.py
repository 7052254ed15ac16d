"""The certificates that runs with a way out trust."""

import stat
from pathlib import Path

from cryptography.hazmat.primitives.serialization import pkcs12

from soulbox_core.sandbox.trust import PEM, PKCS12, write_trust
from tests.integration.web import _certificates


def test_a_bundle_is_written_in_both_forms_and_readable_for_all(tmp_path: Path) -> None:
    authority, _ = _certificates(tmp_path)
    nonsense = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    bundle = authority.read_bytes() * 2 + nonsense
    trust = tmp_path / "trust"
    write_trust(trust, bundle)
    assert (trust / PEM).read_bytes() == bundle
    found = pkcs12.load_pkcs12((trust / PKCS12).read_bytes(), None)
    assert [one.certificate.subject.rfc4514_string() for one in found.additional_certs] == [
        "CN=A test's authority"
    ]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (trust / PEM, trust / PKCS12)}
    assert (modes, stat.S_IMODE(trust.stat().st_mode)) == ({0o444}, 0o755)


def test_without_certificates_the_files_are_there_and_empty(tmp_path: Path) -> None:
    write_trust(tmp_path / "trust", b"")
    assert [(tmp_path / "trust" / name).read_bytes() for name in (PEM, PKCS12)] == [b"", b""]
