"""soulbox keys, on the database itself and through a service that has it open."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from soulbox_core.api.application import build
from soulbox_core.api.extras import Extras
from soulbox_core.identity.opening import open_identity
from soulbox_core.model import Standing
from soulbox_core.service.gate import Gate
from soulbox_core.service.policy import Policies
from soulbox_core.settings import Auth, PolicySettings, Rate, Settings
from soulbox_core.store.opening import open_database
from tests.api.fakes import FakeCatalog, FakeRuns
from tests.cli.conftest import Invoke
from tests.integration.service import free_port

KEY = re.compile(r"sbx_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
SETTINGS = Settings(policies={"agents": PolicySettings()})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SOULBOX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("SOULBOX_KEY", raising=False)
    monkeypatch.delenv("SOULBOX_URL", raising=False)
    return tmp_path


@pytest.fixture
def running(home: Path) -> Iterator[None]:
    """A service that has the database open, in a thread."""
    port = free_port()
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        directory = home / "state" / "instances" / "main"
        policies = Policies(SETTINGS)
        async with open_database(SETTINGS.database, directory / "database") as stores:
            identity = await open_identity(
                Auth(), stores.identities, directory, "urn:x", policies.names
            )
            await identity.make_first_key()
            (directory / "url").write_text(f"http://127.0.0.1:{port}\n")
            gate = Gate(identity.authenticator, NoBuckets(), policies, SETTINGS.rates)
            app = build(FakeRuns(), FakeCatalog(), gate, SETTINGS, Extras(identity=identity))
            config = Config()
            config.bind = [f"127.0.0.1:{port}"]
            config.errorlog = None
            task = asyncio.create_task(
                serve(app, config, shutdown_trigger=over.wait)  # type: ignore[arg-type]  # Hypercorn wants its own app type
            )
            ready.set()
            await task

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(20)
    deadline = time.monotonic() + 20
    while not answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


class NoBuckets:
    """Every bucket is full."""

    async def take(self, name: str, rate: Rate, share: str) -> Standing:
        return Standing(share=share, limit=9, window_seconds=1.0, remaining=9, reset_seconds=0.0)


def answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def made(invoke: Invoke, *options: str) -> str:
    done = invoke("keys", "create", *options)
    assert done.exit_code == 0, done.output + repr(done.exception)
    match = KEY.fullmatch(done.stdout.strip())
    assert match is not None, done.stdout
    return match[1]


def check(invoke: Invoke) -> None:
    id = made(invoke, "--name", "ci", "--policy", "agents", "--expires", "30d")
    boss = made(invoke, "--scope", "execute", "--scope", "admin")
    listed = invoke("keys", "list").stdout
    assert re.search(rf"{id} +ci +execute +agents .* good until", listed)
    assert re.search(rf"{boss} .*execute admin +default .* good", listed)
    assert invoke("keys", "revoke", id).exit_code == 0
    assert re.search(rf"{id} .* revoked", invoke("keys", "list").stdout)


def test_on_the_database_itself(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOULBOX_POLICIES__AGENTS__CONCURRENT", "2")
    check(invoke)


def test_through_the_service_that_has_it_open(invoke: Invoke, running: None) -> None:
    check(invoke)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("create", "--scope", "root"), "no scope 'root'; known: execute, metrics, admin"),
        (("create", "--policy", "gone"), "no policy 'gone'; known: default"),
        (("create", "--expires", "soon"), "write it as 30d"),
        (("create", "--expires", "0d"), "write it as 30d"),
        (("revoke", "nobody"), "no key 'nobody'"),
    ],
)
def test_what_cannot_be_is_told(invoke: Invoke, words: tuple[str, ...], message: str) -> None:
    done = invoke("keys", *words)
    assert done.exit_code != 0
    assert message in str(done.exception)
