"""A SurrealDB server to be killed, started again and made to lie."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soulbox_core.settings import Database
from tests.store.rpc import ROOT

_ROOT = Path(__file__).parents[2]


class SurrealServer:
    """On a port of its own, keeping what it has in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir(parents=True, exist_ok=True)
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/rpc"

    def settings(self, *replicas: "SurrealServer", name: str = "soulbox") -> Database:
        """Those that name it."""
        user, password = ROOT
        return Database(
            url=self.url,
            user=user,
            password=password,
            name=name,
            replicas=tuple(each.url for each in replicas),
            seconds=10.0,
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.rpc", str(self._port), str(self._directory)],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def pause(self) -> None:
        """Have it take connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def spoil(self, mode: str) -> None:
        """Spoil its answers, see `tests.store.rpc`; an empty mode has it be honest again."""
        (self._directory / "mode").write_text(mode)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def surreal_server(directory: Path) -> Iterator[SurrealServer]:
    server = SurrealServer(directory)
    try:
        yield server
    finally:
        server.kill()
