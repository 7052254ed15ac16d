"""TLS: the service's certificate, checked at the start and read again when it was renewed."""

import logging
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from soulbox_core.errors import SettingsError
from soulbox_core.settings import Server

LOOK_SECONDS = 5.0
"""How often the files are looked at, at most."""
WARN_BEFORE = timedelta(days=14)
"""A certificate that ends sooner is worth a line at the start."""
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2, those that RFC 9113 appendix A does not forbid; TLS 1.3 has its own."""

log = logging.getLogger("soulbox.server")


class Certificate:
    """A certificate and its key, from two files that may be replaced while the service runs.

    :raises SettingsError: they cannot be used; says what to do
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._stamp = self._look()
        self._context = load(certificate, key)
        self._looked_at = monotonic()

    @classmethod
    def of(cls, server: Server) -> Self | None:
        """The one that the settings name; None if they name none.

        :raises SettingsError: they name half of one, or one that cannot be used
        """
        if not server.tls_certificate and not server.tls_key:
            return None
        if not server.tls_certificate or not server.tls_key:
            raise SettingsError("set both server.tls_certificate and server.tls_key, or neither")
        return cls(Path(server.tls_certificate), Path(server.tls_key))

    def context(self) -> ssl.SSLContext:
        """For the next connection. Files that cannot be used leave it as it is, and are logged."""
        if monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = monotonic()
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._renew()
        return self._context

    def _renew(self) -> None:
        try:
            self._context = load(self._certificate, self._key)
        except SettingsError as error:
            log.error("the certificate in use is kept: %s", error)
        else:
            log.info("the certificate was renewed")

    def _look(self) -> tuple[tuple[int, int] | None, ...]:
        return _stamp(self._certificate), _stamp(self._key)


def load(certificate: Path, key: Path) -> ssl.SSLContext:
    """Check the two files and make a context of them: TLS 1.2 or newer, for HTTP/2 and HTTP/1.1.

    :raises SettingsError: they cannot be used; says what to do
    """
    check(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(f"server.tls_certificate {certificate}: {error}") from None
    return context


def check(certificate: Path, key: Path) -> None:
    """Hold a certificate and its key against each other and the clock.

    :raises SettingsError: they cannot be used; says what to do
    """
    try:
        own = x509.load_pem_x509_certificates(_read("server.tls_certificate", certificate))[0]
    except (ValueError, IndexError):
        raise SettingsError(
            f"server.tls_certificate {certificate} holds no PEM certificate; it begins with"
            " -----BEGIN CERTIFICATE-----, the service's own first"
        ) from None
    try:
        private = load_pem_private_key(_read("server.tls_key", key), None)
    except TypeError:
        raise SettingsError(
            f"server.tls_key {key} has a password; write it without one: openssl pkey -in {key}"
        ) from None
    except ValueError:
        raise SettingsError(
            f"server.tls_key {key} holds no PEM private key; it begins with"
            " -----BEGIN PRIVATE KEY-----"
        ) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if own.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise SettingsError(
            f"server.tls_key {key} is not the key of the first certificate in {certificate};"
            " put the service's own certificate first"
        )
    _check_dates(certificate, own)


def _check_dates(file: Path, own: x509.Certificate) -> None:
    now = datetime.now(UTC)
    if now >= own.not_valid_after_utc:
        raise SettingsError(
            f"server.tls_certificate {file} ended on {own.not_valid_after_utc:%Y-%m-%d}; renew it"
        )
    if now < own.not_valid_before_utc:
        raise SettingsError(
            f"server.tls_certificate {file} begins on {own.not_valid_before_utc:%Y-%m-%d};"
            " check the clock"
        )
    if own.not_valid_after_utc - now < WARN_BEFORE:
        log.warning("the certificate %s ends on %s", file, own.not_valid_after_utc.date())


def _read(setting: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{setting} {file}: {error.strerror}; let the service's user read it"
        ) from None


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _no_password() -> bytes:
    """OpenSSL would ask for it on the terminal."""
    return b""
