"""Somebody who follows docs/tutorial.md, in a directory and an environment of their own.

Above each code block of the page stands what is done with it: `file: PATH` is written, `run` is
run and must print what the next block says, and with `serve` the service is started anew.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import httpx

from soulbox_core import settings
from tests.integration.patience import patient

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(
    r"^<!-- (?P<action>\w+)(?:: (?P<path>\S+))? -->\n"
    r"```\w+\n(?P<text>.*?)^```$"
    r"(?:\n\n```text\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
ADDRESS = "localhost:8000"
INSTANCE = "tutorial"
SECONDS = 300
READY_SECONDS = 60
STOP_SECONDS = 30
_SHOWN = 2000


class Block(NamedTuple):
    """A code block of the page."""

    action: str
    path: str | None
    text: str
    output: str | None

    @property
    def pattern(self) -> str:
        """What it must print: `...` is for whatever differs, alone on a line for any lines."""
        return "".join(map(_pattern, (self.output or "").splitlines()))


class Done(NamedTuple):
    """A block that was run, and what came of it."""

    block: Block
    exit_code: int
    stdout: str
    stderr: str


BLOCKS = [Block(**found.groupdict()) for found in BLOCK.finditer(PAGE.read_text())]


class Reader:
    """Has SoulBox installed from wheels, as one who has no checkout.

    :param directory: empty; everything is done in it
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.done: list[Done] = []
        self.service: Serving | None = None
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in _NOT_THEIRS},
            "PATH": f"{directory}/venv/bin{os.pathsep}{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "COLUMNS": "100",
            "SOULBOX_POOL__PARKED": "2",
            "SOULBOX_INSTANCE": INSTANCE,
            "SOULBOX_SERVER__PORT": str(self.port),
            "SOULBOX_URL": self.url,
            "SOULBOX_AUTH__ENABLED": "false",
        }

    def prepare(self) -> None:
        """Make a fresh environment with the core and pytest."""
        self._forget()
        self.must(sys.executable, "-m", "venv", "--without-pip", "venv")
        wheels = self.wheels(ROOT)
        self._pip("--python", "venv/bin/python3", "install", "--quiet", *wheels, "pytest")

    def wheels(self, *sources: Path) -> tuple[Path, ...]:
        """What is built of directories, to be installed."""
        built = Path(tempfile.mkdtemp(dir=self.directory))
        self._pip("wheel", "--quiet", "--no-deps", "--wheel-dir", built, *sources)
        return tuple(built.iterdir())

    def follow(self) -> None:
        """Do what the page says, until a command does not do what it says."""
        for block in BLOCKS:
            if block.action == "file":
                assert block.path is not None
                self.write(block.path, block.text)
            elif block.action == "serve":
                self.serve()
            elif block.action == "run":
                done = self.run(block)
                self.done.append(done)
                if done.exit_code:
                    return

    def write(self, path: str, text: str) -> None:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, block: Block) -> Done:
        code = block.text.replace(ADDRESS, f"127.0.0.1:{self.port}")
        done = self._process(("bash", "-uo", "pipefail", "-c", code))
        return Done(block, done.returncode, done.stdout, done.stderr)

    def serve(self) -> None:
        """Start the service, after the end of the one before."""
        self.stop()
        self.service = Serving(self.directory, self._environment, self.url)

    def stop(self) -> None:
        if self.service is not None:
            service, self.service = self.service, None
            assert service.stop() == 0, service.said()

    def close(self) -> None:
        """Leave nothing behind but images."""
        self.stop()
        self._forget()

    def said(self) -> str:
        """The last of what the service has printed and logged, if there is one."""
        return "" if self.service is None else self.service.said()[-_SHOWN:]

    def must(self, *argv: str | Path) -> str:
        """Run a command, which must do well, and return what it printed."""
        done = self._process(argv)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _forget(self) -> None:
        """What the instance has compiled would be there for the next one, who expects nothing."""
        state = Path(settings.load(env=os.environ).state_dir)
        shutil.rmtree(state / "instances" / INSTANCE, ignore_errors=True)

    def _pip(self, *arguments: str | Path) -> None:
        """The core's own, which has no need of one in the environment that it fills."""
        self.must(sys.executable, "-m", "pip", *arguments)

    def _process(self, argv: tuple[str | Path, ...]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            argv,
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patient(SECONDS),
        )


_NOT_THEIRS = ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "SOULBOX_CONFIG")


class Serving:
    """`soulbox serve` of an environment."""

    def __init__(self, directory: Path, environment: dict[str, str], url: str) -> None:
        self._log = directory / "serve.log"
        self._url = url
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                (directory / "venv/bin/soulbox", "serve"),
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._await_ready()
        except AssertionError:
            self._process.kill()
            self._process.wait()
            raise

    def said(self) -> str:
        """Everything it has printed and logged."""
        return self._log.read_text()

    def stop(self) -> int:
        """End it, and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(patient(STOP_SECONDS))

    def _await_ready(self) -> None:
        deadline = time.monotonic() + patient(READY_SECONDS)
        while not self._ready():
            assert self._process.poll() is None, f"the service ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"the service is not ready:\n{self.said()}"
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            answer = httpx.get(f"{self._url}/readyz", trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK


def _pattern(line: str) -> str:
    if line == "...":
        return "(?:.*\n)*"
    return ".*".join(map(re.escape, line.split("..."))) + "\n"


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
