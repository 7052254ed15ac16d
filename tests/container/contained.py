"""SoulBox in a container, for tests to talk to and to kill."""

import os
import shlex
import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from soulbox_core import registry
from soulbox_core.settings import Settings
from tests.integration.service import Answering, free_port

NAME = os.environ.get("CONTAINER_UNDER_TEST", "soulbox-test")
"""scripts/test-container has prepared what the line of a container of this name needs."""
CAPABILITIES = {"CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"}
MEMORY = 6 << 30
LINE = Path(__file__).parents[2] / "deploy/container/podman-run"
READY_SECONDS = 120.0
STATE = "/var/lib/soulbox/instances/main"


def podman(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command of this user's Podman."""
    done = subprocess.run(("podman", *words), capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return done


def printed_line(image: str, *options: str) -> str:
    """What `podman-run` prints for this host, without what root does once after a boot."""
    memory = ("--memory", str(MEMORY))
    argv = ("sh", str(LINE), image, "--name", NAME, *memory, *options)
    text = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
    return text[text.index("podman run") : text.rindex("}")]


def words_of(line: str, *options: str) -> list[str]:
    """The words of a line that begin with one of these options. Root's Podman may need those that
    bound its processes for whatever it runs, where the host bounds root's own."""
    return [word for word in shlex.split(line) if word.startswith(options)]


def only(languages: Iterable[str]) -> list[str]:
    """Words for `podman-run` that leave all other languages off."""
    others = registry.load(Settings()).languages.keys() - set(languages)
    pairs = (("--env", f"SOULBOX_LANGUAGES__{name.upper()}__ENABLED=false") for name in others)
    return [word for pair in pairs for word in pair]


class Contained(Answering):
    """A container of an image with its own volume, both removed at the end.

    :param options: more words for `podman-run`
    """

    def __init__(self, image: str, *options: str) -> None:
        port = free_port()
        self.image = image
        self.line = printed_line(image, "--publish", f"127.0.0.1:{port}", *options)
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=120)

    def __enter__(self) -> Self:
        podman("volume", "rm", "--force", NAME)
        with ExitStack() as undo:
            undo.callback(self._remove)
            self.start()
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._remove()

    def start(self) -> None:
        """Run the line, in the place of whatever there is of that name; wait until all is ready."""
        # Podman 4.3 may still be at what a killed one left, and then says that it is busy.
        for pause in (1, 2, 0):
            done = subprocess.run(("sh", "-c", self.line), capture_output=True, text=True)
            if done.returncode == 0:
                break
            time.sleep(pause)
        assert done.returncode == 0, done.stderr
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            running = podman("inspect", "--format={{.State.Running}}", NAME).stdout.strip()
            assert running == "true", f"the container ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"it is not ready:\n{self.said()}"
            time.sleep(0.1)
        # There is none where callers need not prove who they are.
        key = self.inside("find", STATE, "-name", "first-key", "-exec", "cat", "{}", "+").strip()
        self.client.headers["authorization"] = f"Bearer {key}"

    def inside(self, *argv: str) -> str:
        """What a command prints that is run in the container, as the service's user."""
        return podman("exec", "--user=soulbox", NAME, *argv).stdout

    def said(self) -> str:
        logs = podman("logs", NAME, check=False)
        return logs.stdout + logs.stderr

    def inspected(self, what: str) -> Any:
        """A value that `podman inspect` tells, by its Go template."""
        return podman("inspect", f"--format={{{{{what}}}}}", NAME).stdout.strip()

    def _ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def _remove(self) -> None:
        self.client.close()
        podman("rm", "--force", "--time=1", NAME, check=False)
        podman("volume", "rm", "--force", NAME, check=False)
