"""soulbox keys: make, list and revoke API keys.

While the service runs the database is its own, and it is asked; else the database is opened.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Annotated, TypeVar

import httpx
import msgspec
import typer
from rich.console import Console
from rich.table import Table

from soulbox_core.api.identity_schema import KeyInfo
from soulbox_core.cli import client, credentials
from soulbox_core.cli.client import ServiceError
from soulbox_core.cli.configuration import Changes, ConfigFile, StateDir, load
from soulbox_core.errors import RequestError
from soulbox_core.identity.identity import Identity
from soulbox_core.identity.opening import open_identity
from soulbox_core.identity.running import DATABASE
from soulbox_core.scopes import EXECUTE
from soulbox_core.service.policy import DEFAULT, Policies
from soulbox_core.settings import Settings
from soulbox_core.store.opening import open_database
from soulbox_core.store.records import ApiKey

app = typer.Typer(name="keys", help="Make, list and revoke API keys.", no_args_is_help=True)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([1-9][0-9]{0,8})([smhd])")

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="SOULBOX_URL", help="The service, if it is not one of ours here."),
]
T = TypeVar("T")


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    key: str


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    keys: tuple[KeyInfo, ...]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="For people to know it by.")] = "",
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="execute (the default), metrics or admin; repeat."),
    ] = None,
    policy: Annotated[str, typer.Option(help="What it may do, by a policy's name.")] = DEFAULT,
    expires: Annotated[
        str | None, typer.Option(metavar="SPAN", help="Such as 30d, 12h; never without it.")
    ] = None,
    url: Url = None,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """Make a key, and print it: it is shown this once."""
    seconds = None if expires is None else _seconds(expires)
    chosen = tuple(scopes or (EXECUTE,))
    settings = load(config, changes, state_dir=state_dir)
    service = _service(url, settings)
    if service is None:

        async def make(identity: Identity) -> str:
            expires_at = None if seconds is None else time() + seconds
            _, text = await identity.create_key(name, chosen, policy, expires_at)
            return text

        typer.echo(_with_database(settings, make))
        return
    body: dict[str, object] = {"name": name, "scopes": chosen, "policy": policy}
    if seconds is not None:
        body["expires_in"] = seconds
    answer = _asked(service, "POST", "/v1/keys", body)
    typer.echo(msgspec.json.decode(answer, type=_Made).key)


@app.command("list")
def list_keys(
    url: Url = None,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """List the keys. The key itself begins with sbx_ and its id, and is nowhere to be had."""
    settings = load(config, changes, state_dir=state_dir)
    service = _service(url, settings)
    if service is None:

        async def all_keys(identity: Identity) -> tuple[ApiKey, ...]:
            return await identity.keys()

        _show(_with_database(settings, all_keys))
        return
    _show(msgspec.json.decode(_asked(service, "GET", "/v1/keys"), type=_Known).keys)


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="As `soulbox keys list` has it.")],
    url: Url = None,
    config: ConfigFile = None,
    changes: Changes = None,
    state_dir: StateDir = None,
) -> None:
    """Make a key, and all tokens that it was traded for, worthless at once."""
    settings = load(config, changes, state_dir=state_dir)
    service = _service(url, settings)
    if service is None:

        async def end(identity: Identity) -> ApiKey | None:
            return await identity.revoke_key(id)

        if _with_database(settings, end) is None:
            raise ServiceError(f"no key {id!r}; `soulbox keys list` shows those there are")
    else:
        _asked(service, "DELETE", f"/v1/keys/{id}")
    typer.echo(f"revoked {id}")


def _service(url: str | None, settings: Settings) -> tuple[str, str | None] | None:
    """The service to ask, and its first key; None if none has the database open."""
    if url is not None:
        return url, None
    own = credentials.own_service(settings)
    return None if own is None else (own.url, own.first_key)


def _directory(settings: Settings) -> Path:
    return Path(settings.state_dir) / "instances" / settings.instance


def _with_database(settings: Settings, use: Callable[[Identity], Awaitable[T]]) -> T:
    policies = Policies(settings).names

    async def opened() -> T:
        directory = _directory(settings)
        async with open_database(settings.database, directory / DATABASE) as stores:
            identity = await open_identity(
                settings.auth, stores.identities, directory, "", policies
            )
            return await use(identity)

    try:
        return asyncio.run(opened())
    except RequestError as error:
        raise ServiceError(error.detail) from None


def _asked(service: tuple[str, str | None], method: str, path: str, body: object = None) -> bytes:
    url, first_key = service
    named = os.environ.get(credentials.KEY_VARIABLE)
    with client.connect(url, None if named else first_key) as http:
        try:
            response = http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise client.unreachable(http, error) from None
        client.check(response)
        return response.content


def _seconds(span: str) -> int:
    match = _SPAN.fullmatch(span)
    if match is None:
        raise ServiceError(f"--expires {span}: write it as 30d, 12h, 90m or 60s")
    return int(match[1]) * _UNITS[match[2]]


def _show(keys: tuple[ApiKey, ...] | tuple[KeyInfo, ...]) -> None:
    table = Table("id", "name", "scopes", "policy", "made", "state", box=None, pad_edge=False)
    for key in keys:
        table.add_row(
            key.id, key.name, " ".join(key.scopes), key.policy, _day(key.created_at), _state(key)
        )
    Console().print(table)


def _state(key: ApiKey | KeyInfo) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"{'good until' if time() < key.expires_at else 'expired'} {_day(key.expires_at)}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
