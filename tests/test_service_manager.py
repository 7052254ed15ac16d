"""What systemd is told, on a socket of ours in its place."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from soulbox_core.service_manager import ServiceManager
from tests.notified import Listener, listening


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@soulbox-{os.getpid()}"


@pytest.fixture
def systemd(address: str) -> Iterator[Listener]:
    with listening(address) as listener:
        yield listener


def test_it_is_told_that_the_service_serves_and_that_it_drains(
    systemd: Listener, address: str
) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": address})
    manager.ready("6 languages")
    assert systemd.hear() == ["READY=1", "STATUS=6 languages"]
    manager.stopping(120)
    assert systemd.hear() == ["STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=150000000"]


@pytest.mark.parametrize("pid", [None, str(os.getpid())])
def test_it_hears_signs_of_life_while_the_loop_turns(
    systemd: Listener, address: str, pid: str | None
) -> None:
    env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000"}
    manager = ServiceManager.of({**env, "WATCHDOG_PID": pid} if pid else env)

    async def live() -> list[list[str]]:
        async with manager.watched():
            await asyncio.sleep(0.05)  # nobody waits for signs of life before it serves
            manager.ready("it serves")
            return [await asyncio.to_thread(systemd.hear) for _ in range(4)]

    assert asyncio.run(live()) == [["READY=1", "STATUS=it serves"], *[["WATCHDOG=1"]] * 3]


@pytest.mark.parametrize(
    "env",
    [
        {"WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {},
    ],
)
def test_it_hears_none_that_it_did_not_ask_this_process_for(
    systemd: Listener, address: str, env: dict[str, str]
) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": address, **env})

    async def live() -> None:
        async with manager.watched():
            manager.ready("the first that is heard")
            await asyncio.sleep(0.05)
        manager.stopping(1)

    asyncio.run(live())
    assert systemd.hear() == ["READY=1", "STATUS=the first that is heard"]
    assert systemd.hear()[0] == "STOPPING=1"


@pytest.mark.parametrize("env", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_one_nothing_is_told(env: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager.of(env)
    manager.ready("nobody hears it")
    manager.stopping(1)
    assert caplog.text == ""


def test_one_that_is_gone_is_no_reason_to_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ServiceManager(str(tmp_path / "nobody")).ready("")
    assert "READY=1" in caplog.text
