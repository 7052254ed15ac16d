"""How scripts/serve and scripts/test install: what a lock lists, or nothing."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.release.checkout import ROOT

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.5"
requires-python = ">=3"
dependencies = [{needs}]

[tool.hatch.build.targets.wheel]
packages = ["{name}"]
"""
INSTALL = """\
set -euo pipefail
for part in say privilege packages program; do source "$1/scripts/lib/$part.sh"; done
program=$2 checkout=$3 python=$4
install_locked venv sample
"""


class Host(NamedTuple):
    """Files that may be installed, an index that is empty, and a lock."""

    program: Path
    directory: Path

    @property
    def links(self) -> Path:
        return self.directory / "links"

    @property
    def lock(self) -> Path:
        return self.directory / "locks" / "sample.txt"

    def publish(self, *kinds: str, name: str = "alpha", needs: str = "") -> None:
        """Make version 1.5 of something available."""
        project = self.directory / name
        shutil.rmtree(project, ignore_errors=True)
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").touch()
        (project / "pyproject.toml").write_text(PROJECT.format(name=name, needs=needs))
        command = (sys.executable, "-m", "hatchling", "build", "-d", self.links)
        words = [word for kind in kinds for word in ("-t", kind)]
        subprocess.run([*command, *words], cwd=project, check=True, capture_output=True)

    def pin(self, file: str) -> None:
        """Lock alpha to one of its files."""
        digest = hashlib.sha256((self.links / file).read_bytes()).hexdigest()
        self.lock.write_text(f"alpha==1.5 \\\n    --hash=sha256:{digest}\n")

    def install(self) -> tuple[int, str]:
        """The exit code, and what is said."""
        nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.links)}
        done = subprocess.run(
            ["bash", "-c", INSTALL, "bash", ROOT, self.program, self.directory, sys.executable],
            env={**os.environ, **nowhere},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr

    def has_alpha(self) -> bool:
        python = self.program / "venv" / "bin" / "python3"
        return subprocess.run([python, "-c", "import alpha"], capture_output=True).returncode == 0


WHEEL, SDIST = "alpha-1.5-py3-none-any.whl", "alpha-1.5.tar.gz"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("program")


@pytest.fixture
def host(tmp_path: Path, program: Path) -> Host:
    """One on which alpha is not installed. Its environment stays, for it takes long to make."""
    for name in ("links", "locks"):
        (tmp_path / name).mkdir()
    for left in program.glob("venv/lib/python3*/site-packages/alpha*"):
        shutil.rmtree(left)
    (program / "venv" / ".fingerprint").unlink(missing_ok=True)
    return Host(program, tmp_path)


def test_what_is_locked_is_installed_once(host: Host) -> None:
    host.publish("wheel")
    host.pin(WHEEL)
    code, said = host.install()
    assert code == 0, said
    assert "✓ installing what locks/sample.txt lists" in said
    assert host.has_alpha()
    code, said = host.install()
    assert (code, said.splitlines()[0][:1]) == (0, "✓"), said
    assert "installing" not in said


def test_a_file_with_another_hash_is_refused(host: Host) -> None:
    """Whatever is in PIP_FIND_LINKS, or in an index, under the right name and version."""
    host.publish("wheel")
    host.pin(WHEEL)
    host.publish("wheel", needs='"alpha"')
    code, said = host.install()
    assert code == 1
    assert "DO NOT MATCH THE HASHES" in said
    assert "✗ installing what locks/sample.txt lists" in said
    assert not host.has_alpha()
    assert not (host.program / "venv" / ".fingerprint").exists()


def test_a_dependency_that_is_not_listed_is_refused(host: Host) -> None:
    host.publish("wheel", name="beta")
    host.publish("wheel", needs='"beta"')
    host.pin(WHEEL)
    code, said = host.install()
    assert code == 1
    assert "all requirements must have their versions pinned" in said
    assert not host.has_alpha()


def test_a_source_distribution_is_not_built(host: Host) -> None:
    """Its build back-end would be whatever the index has, and run with our rights."""
    host.publish("sdist")
    host.pin(SDIST)
    code, said = host.install()
    assert code == 1
    assert "No matching distribution found for alpha==1.5" in said
    assert not host.has_alpha()


def test_a_changed_lock_is_installed(host: Host) -> None:
    host.publish("wheel")
    host.lock.write_text("# nothing\n")
    assert host.install()[0] == 0
    assert not host.has_alpha()
    host.pin(WHEEL)
    assert host.install()[0] == 0
    assert host.has_alpha()
