"""Hosts to reach: an HTTP and an HTTPS server on this machine, with an authority of their own."""

import datetime
import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = socket.gethostname().lower()
"""A name of this machine's that no client takes for its own loopback."""
ADDRESS = socket.gethostbyname(NAME)
_DAY = datetime.timedelta(days=1)
_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Web:
    """Two servers, and the file with the certificate of the authority that vouches for one."""

    http: int
    https: int
    authority: Path
    seen: list[str]
    """The request lines that they got."""

    @property
    def plain(self) -> str:
        return f"http://{NAME}:{self.http}"

    @property
    def secure(self) -> str:
        return f"https://{NAME}:{self.https}"

    @property
    def hosts(self) -> list[str]:
        return [f"{NAME}:{self.http}", f"{NAME}:{self.https}"]


@contextmanager
def web(directory: Path) -> Iterator[Web]:
    """Both of them, for the time of the context.

    :param directory: takes the certificates
    """
    authority, chain = _certificates(directory)
    seen: list[str] = []
    with _served(seen) as plain, _served(seen, chain) as secure:
        yield Web(http=plain, https=secure, authority=authority, seen=seen)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/to":
            self.send_response(302)
            self.send_header("Location", parse_qs(url.query)["url"][0])
            self._end(b"")
        elif url.path == "/bytes":
            self.send_response(200)
            self._end(bytes(int(url.query)))
        else:
            self.send_response(200)
            self._end(f"{self.command} {self.path} for {self.headers['Host']}\n".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self._end(body)

    def _end(self, content: bytes) -> None:
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        self.server.seen.append(self.requestline)

    def log_message(self, format: str, *args: object) -> None:
        """A test's output is not for these."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen
        super().__init__((ADDRESS, 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is what some tests are about."""


@contextmanager
def _served(seen: list[str], chain: Path | None = None) -> Iterator[int]:
    with _Server(seen) as server:
        if chain is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _certificates(directory: Path) -> tuple[Path, Path]:
    """An authority's certificate, and a server's with its key."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = _name("A test's authority")
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    names = [x509.DNSName(NAME), x509.IPAddress(ip_address(ADDRESS))]
    certificate = (
        _builder(_name(NAME), authority_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    authority_file, chain_file = directory / "authority.pem", directory / "chain.pem"
    authority_file.write_bytes(authority.public_bytes(pem))
    chain_file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return authority_file, chain_file


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
