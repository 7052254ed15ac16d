"""The certificate authorities by which package registries are trusted: the operator's."""

from collections.abc import Mapping
from pathlib import Path

IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"
"""Debian's bundle, which most clients read by themselves."""
_ADDED = (
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_CAFILE",
    "CARGO_HTTP_CAINFO",
    "GIT_SSL_CAINFO",
)
VARIABLES = ("SSL_CERT_FILE", *_ADDED)
"""The variables by which clients are told of a bundle, one file in PEM."""
_BUNDLES = (IN_IMAGE, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
"""Where distributions keep theirs."""


def bundle(environ: Mapping[str, str]) -> bytes:
    """The host's certificates in PEM, with all that the variables name; empty if there are none.

    SSL_CERT_FILE replaces the system's bundle, as it does for OpenSSL.
    """
    named = {name.upper(): value for name, value in environ.items()}
    chosen = named.get("SSL_CERT_FILE")
    base = next(filter(None, map(_content, (chosen,) if chosen else _BUNDLES)), b"")
    added = {_content(named[name]) for name in _ADDED if name in named} - {base}
    return b"\n".join(filter(None, (base, *sorted(added))))


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # the client that cannot verify its registry will say so
