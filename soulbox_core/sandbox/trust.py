"""The certificates by which runs with a way out know other hosts, as files for containers."""

import re
import warnings
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
)

PEM, PKCS12 = "certificates.pem", "certificates.p12"
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def write_trust(directory: Path, bundle: bytes) -> None:
    """Write a bundle, as PEM and as PKCS#12 without a password, for anybody in a cell to read.

    :param directory: is made
    """
    directory.mkdir(mode=0o755)
    for name, content in ((PEM, bundle), (PKCS12, _pkcs12(bundle))):
        file = directory / name
        file.write_bytes(content)
        file.chmod(0o444)
    directory.chmod(0o755)


def _pkcs12(bundle: bytes) -> bytes:
    """The form that Java reads. A certificate that makes no sense is left out, as by OpenSSL."""
    found = {}
    for block in _BLOCK.findall(bundle):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later version will not read
            try:
                found[block] = x509.load_pem_x509_certificate(block)
            except ValueError:
                continue
    entries = [
        PKCS12Certificate(certificate, b"%d" % number)
        for number, certificate in enumerate(found.values())
    ]
    return serialize_java_truststore(entries, NoEncryption()) if entries else b""
