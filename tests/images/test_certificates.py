"""The certificates that a setup trusts: the operator's, wherever the operator named them."""

from pathlib import Path

import pytest

from soulbox_core.certificates import IN_IMAGE, VARIABLES, bundle


def pem(directory: Path, name: str) -> str:
    file = directory / name
    file.write_text(f"certificate {name}\n")
    return str(file)


def test_the_systems_bundle_is_taken_if_nothing_is_named() -> None:
    assert bundle({}) == Path(IN_IMAGE).read_bytes()


def test_ssl_cert_file_replaces_the_systems_bundle(tmp_path: Path) -> None:
    assert bundle({"SSL_CERT_FILE": pem(tmp_path, "own")}) == b"certificate own\n"


@pytest.mark.parametrize("name", sorted({*VARIABLES} - {"SSL_CERT_FILE"}))
def test_what_one_client_is_told_of_all_are(name: str, tmp_path: Path) -> None:
    environ = {"SSL_CERT_FILE": pem(tmp_path, "own"), name.lower(): pem(tmp_path, "added")}
    assert bundle(environ) == b"certificate own\n\ncertificate added\n"


def test_a_bundle_named_twice_is_there_once(tmp_path: Path) -> None:
    own = pem(tmp_path, "own")
    assert bundle(dict.fromkeys(VARIABLES, own)) == b"certificate own\n"


def test_a_bundle_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    assert bundle({"SSL_CERT_FILE": str(tmp_path / "absent")}) == b""
