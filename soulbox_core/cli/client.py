"""Talking to a running service."""

from typing import Annotated

import httpx
import msgspec
import typer

from soulbox_core import loopback
from soulbox_core.cli import credentials
from soulbox_core.errors import SoulBoxError

DEFAULT_URL = "http://127.0.0.1:8000"
_CONNECT_SECONDS = 5.0

Url = Annotated[str, typer.Option("--url", envvar="SOULBOX_URL", help="The service to talk to.")]


class ServiceError(SoulBoxError):
    """The service cannot be reached, refused, or failed; the message says what to do."""


class KnownLanguage(msgspec.Struct, frozen=True, kw_only=True):
    """What the client uses of an entry of `/v1/languages`; a newer service may send more."""

    name: str
    title: str
    source_file: str
    aliases: tuple[str, ...] = ()
    version: str | None = None
    ready: bool = True
    preloads: tuple[str, ...] = ()

    def runs(self, suffix: str) -> bool:
        """Whether a file with this suffix, such as `.py`, is in the language."""
        return self.source_file.endswith(suffix) or suffix.removeprefix(".") in self.aliases


class KnownFault(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin that is out of order."""

    plugin: str
    detail: str


class KnownLanguages(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `/v1/languages`."""

    languages: tuple[KnownLanguage, ...]
    faults: tuple[KnownFault, ...] = ()


class _Problem(msgspec.Struct, frozen=True, kw_only=True):
    detail: str


def connect(url: str, key: str | None = None) -> httpx.Client:
    """A client without a limit on how long a program may run; the service has its own.

    :param key: what to show; None for the one that is kept for the service
    :raises CredentialsError: keys are kept where others may read them
    """
    host = httpx.URL(url).host
    key = key or credentials.credential(url, host)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
    # A proxy from the environment leads out of the host, never back to its loopback.
    proxied = host not in loopback.NAMES
    return httpx.Client(base_url=url, timeout=timeout, trust_env=proxied, headers=headers)


def languages(http: httpx.Client) -> KnownLanguages:
    """Ask which languages there are.

    :raises ServiceError: no service answers there
    """
    try:
        response = http.get("/v1/languages")
    except httpx.HTTPError as error:
        raise unreachable(http, error) from None
    check(response)
    try:
        return msgspec.json.decode(response.content, type=KnownLanguages)
    except msgspec.MsgspecError as error:
        raise ServiceError(f"{http.base_url} does not answer like SoulBox: {error}") from None


def check(response: httpx.Response) -> None:
    """Raise the problem details of a response that is an error.

    :raises ServiceError: with the service's own words
    """
    if response.is_success:
        return
    response.read()
    if response.status_code == httpx.codes.UNAUTHORIZED:
        raise ServiceError(
            f"{response.url.host} does not know you; run `soulbox login`, or set"
            f" {credentials.KEY_VARIABLE} to an API key"
        )
    try:
        detail = msgspec.json.decode(response.content, type=_Problem).detail
    except msgspec.MsgspecError:
        detail = f"HTTP {response.status_code} from {response.url}"
    raise ServiceError(detail)


def unreachable(http: httpx.Client, error: httpx.HTTPError) -> ServiceError:
    """Word a failed connection."""
    return ServiceError(
        f"{http.base_url}: {error or type(error).__name__}; start a service with scripts/serve, "
        "or name one with --url or SOULBOX_URL"
    )
