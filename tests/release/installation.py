"""SoulBox as somebody has it who has no checkout: wheels, in an environment of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from release import locks
from tests.release.checkout import ROOT

SECONDS = 500
_NOT_THEIRS = ("PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "SOULBOX_CONFIG")
_HASHED = ("--require-hashes", "--only-binary", ":all:")


class Installation:
    """An environment with what the lock lists, and wheels beside it.

    :param directory: empty
    :param wheels: ours
    """

    def __init__(self, directory: Path, wheels: Iterable[Path]) -> None:
        self.directory = directory
        self.python = directory / "venv" / "bin" / "python3"
        self.soulbox = directory / "venv" / "bin" / "soulbox"
        self._kit = directory / "kit"
        self.must(sys.executable, "-m", "venv", "--without-pip", directory / "venv")
        self._install(*_HASHED, "--requirement", ROOT / "locks" / "runtime.txt")
        self._install("--no-deps", *wheels)

    @property
    def packages(self) -> Path:
        """Where its packages are."""
        (found,) = self.directory.glob("venv/lib/python3*/site-packages")
        return found

    def add_kit(self) -> None:
        """Get what the conformance kit takes, beside the environment, which stays as it is."""
        pins = locks.read(ROOT / "locks" / "dev.txt")
        needed = sorted(locks.needed_by(pins, ["pytest"]))
        wanted = self.directory / "kit.txt"
        wanted.write_text("".join(_line(pins[name]) for name in needed))
        self._install(*_HASHED, "--target", self._kit, "--requirement", wanted)

    def must(self, *argv: str | Path, env: Mapping[str, str] | None = None) -> str:
        """Run a command, which must do well, and return what it printed."""
        done = subprocess.run(
            argv,
            cwd=self.directory,
            env={**_environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kit(self, *arguments: str | Path, url: str = "") -> str:
        """Run pytest on tests that are not in the checkout, and return what it printed.

        :param arguments: for pytest; files are copied
        :param url: of a service
        """
        place = Path(tempfile.mkdtemp(dir=self.directory))
        words = [shutil.copy(each, place) if isinstance(each, Path) else each for each in arguments]
        pytest = (
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore",
            "--rootdir",
            place,
        )
        return self.with_kit(*pytest, *words, url=url)

    def with_kit(self, *argv: str | Path, url: str = "") -> str:
        """Run Python with the kit and return what it printed.

        :param url: of a service
        """
        env = {"PYTHONPATH": str(self._kit), "SOULBOX_URL": url}
        return self.must(self.python, *argv, env=env)

    def _install(self, *arguments: str | Path) -> None:
        pip = (sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet")
        self.must(*pip, *arguments)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _NOT_THEIRS}


def _line(pin: locks.Pin) -> str:
    marker = f" ; {pin.marker}" if pin.marker else ""
    hashes = "".join(f" --hash=sha256:{value}" for value in pin.sha256)
    return f"{pin.name}=={pin.version}{marker}{hashes}\n"
