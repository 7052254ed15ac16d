"""The key that a command shows to a service: from where it comes, and where it is kept."""

import os
import stat
from pathlib import Path

import httpx
import msgspec

from soulbox_core import loopback, settings
from soulbox_core.errors import SettingsError, SoulBoxError
from soulbox_core.identity.running import Running, running
from soulbox_core.settings import Settings

KEY_VARIABLE = "SOULBOX_KEY"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class CredentialsError(SoulBoxError):
    """The file with credentials cannot be used; the message says what to do."""


def credential(url: str, host: str) -> str | None:
    """The key for a service: of the variable, of a login, or of a service of our own here.

    :param host: the URL's
    :raises CredentialsError: there is a file with keys that others may read, or that is none
    """
    named = os.environ.get(KEY_VARIABLE, "").strip()
    if named:
        return named
    kept = _read(_file()).get(_place(url))
    if kept is not None:
        return kept
    return _first_key(url) if host in loopback.NAMES else None


def keep(url: str, key: str) -> Path:
    """Keep a key for a service, for our own eyes.

    :return: where
    :raises CredentialsError: that cannot be written
    """
    file = _file()
    try:
        kept = _read(file) | {_place(url): key}
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as opened:
            opened.write(msgspec.json.encode(kept))
        draft.replace(file)
    except OSError as error:
        raise CredentialsError(f"{file}: {error.strerror}") from None
    return file


def _place(url: str) -> str:
    return url.rstrip("/")


def _file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "soulbox" / "credentials.json"


def _read(file: Path) -> dict[str, str]:
    try:
        mode = file.stat().st_mode
        content = file.read_bytes()
    except OSError:
        return {}
    if mode & _OTHERS:
        raise CredentialsError(f"others may read {file}, which holds keys; run: chmod 600 {file}")
    try:
        return msgspec.json.decode(content, type=dict[str, str])
    except msgspec.MsgspecError:
        raise CredentialsError(f"{file} is damaged; remove it, and log in again") from None


def own_service(ours: Settings) -> Running | None:
    """The service of these settings, if it runs."""
    return running(Path(ours.state_dir) / "instances" / ours.instance)


def _first_key(url: str) -> str | None:
    """The key that a service of this user's made at its first start, for itself alone: whoever
    listens at another port of this host may be anybody."""
    try:
        own = own_service(settings.load(env=os.environ))
    except SettingsError:
        return None
    if own is None or httpx.URL(own.url).port != httpx.URL(url).port:
        return None
    return own.first_key
