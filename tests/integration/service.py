"""A real service in a process of its own, for tests to talk to and to kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx

from tests.integration.patience import patient

PYTHON_ALONE = (
    "plugins.blocked="
    + json.dumps([each.name for each in entry_points(group="soulbox") if each.name != "python"]),
    "languages.python.preloads=[]",
)
"""Settings of a service that is there soon."""
READY_SECONDS = 60.0
STOP_SECONDS = 30.0


class Answering(ABC):
    """A service that programs can be sent to, wherever it runs."""

    client: httpx.Client

    @abstractmethod
    def said(self) -> str:
        """Everything it has printed and logged."""

    def post(self, code: str, *, language: str = "python", **options: Any) -> httpx.Response:
        """POST a JSON request and return the response."""
        return self.client.post(f"/v1/run/{language}", json={"code": code, **options})

    def run(self, code: str, *, language: str = "python", **options: Any) -> dict[str, Any]:
        """POST a JSON request, which must be answered with 200."""
        response = self.post(code, language=language, **options)
        assert response.status_code == 200, response.text + self.said()
        answer: dict[str, Any] = response.json()
        return answer

    def output(self, code: str, **options: Any) -> str:
        """What a program printed, which must have ended well."""
        answer = self.run(code, **options)
        assert answer["status"] == "ok", answer
        text: str = answer["stdout"]
        return text

    def metric(self, name: str) -> float:
        """A number that it tells Prometheus, with its labels if it has any."""
        for line in self.client.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")


class Service(Answering):
    """`soulbox serve` under an instance name, on a free port of loopback.

    :param flags: more `--set key=value`
    :param env: more variables
    :param whole: it is only there when every language is ready
    :param auth: callers must prove who they are; `client` does it with the first key
    :param key: what it does it with instead, where another node made the first key
    :param port: where it listens, instead of on one that is free
    :param command: what is `soulbox` here
    """

    def __init__(
        self,
        instance: str,
        *flags: str,
        env: Mapping[str, str] | None = None,
        whole: bool = True,
        auth: bool = False,
        key: str = "",
        port: int | None = None,
        command: Sequence[str | Path] = (sys.executable, "-m", "soulbox_core"),
    ) -> None:
        self.instance = instance
        self._sign = "/readyz" if whole else "/healthz"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = tempfile.TemporaryFile()  # noqa: SIM115, closed by stop
        self.last_words = ""
        sets = (
            f"instance={instance}",
            f"server.port={self.port}",
            "log_level=info",
            f"auth.enabled={str(auth).lower()}",
            *flags,
        )
        self.process = subprocess.Popen(
            [*command, "serve", *(w for s in sets for w in ("--set", s))],
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
        )
        self.client = httpx.Client(base_url=self.url, timeout=patient(60))
        with ExitStack() as undo:
            undo.callback(self.stop, signal.SIGKILL)
            self._await_ready()
            undo.pop_all()
        self.key = ""
        if auth:
            self.show(key or first_key(instance))

    def show(self, key: str) -> None:
        """Have `client` prove with that key who it is."""
        self.key = key
        self.client.headers["authorization"] = f"Bearer {key}"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(patient(STOP_SECONDS))
        self.last_words = self.said()
        self.log.close()
        return code

    def said(self) -> str:
        """Everything it has printed and logged."""
        if self.log.closed:
            return self.last_words
        return os.pread(self.log.fileno(), 1 << 24, 0).decode(errors="replace")

    def await_true(self, condition: Any, what: str, seconds: float = 20.0) -> None:
        """Poll until a condition holds; fail with the service's log if it does not.

        :param seconds: how long, on a usual machine
        """
        seconds = patient(seconds)
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.said()}"
            time.sleep(0.05)

    def ready(self) -> bool:
        try:
            return self.client.get(self._sign).status_code == 200
        except httpx.HTTPError:
            return False

    def _await_ready(self) -> None:
        deadline = time.monotonic() + patient(READY_SECONDS)
        while not self.ready():
            assert self.process.poll() is None, f"the service ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"the service is not ready:\n{self.said()}"
            time.sleep(0.05)


def instance_id(name: str) -> str:
    """The id under which an instance marks what is its own."""
    return (instance_directory(name) / "id").read_text().strip()


def first_key(name: str) -> str:
    """The API key that an instance made at its first start."""
    return (instance_directory(name) / "first-key").read_text().strip()


def instance_directory(name: str) -> Path:
    """Where an instance keeps what is its own."""
    base = os.environ.get("SOULBOX_STATE_DIR") or os.path.expanduser("~/.local/share/soulbox")
    return Path(base) / "instances" / name


def free_port() -> int:
    """One that nobody listens on at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
