"""The examples of README.md, run as they stand there.

A block of `sh` or `python` below the mark `<!-- run -->` is run against the service; the `text`
block below it must be what it prints. `...` stands for whatever differs from run to run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.patience import patient
from tests.integration.service import Service

README = Path(__file__).parents[2] / "README.md"
MARK = "<!-- run -->"
BLOCK = re.compile(
    rf"^{MARK}\n```(?P<language>sh|python)\n(?P<code>.*?)^```\n\n```text\n(?P<output>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
ADDRESS = "localhost:8000"
SECONDS = 50
RUNNERS = {"sh": ("bash", "-uo", "pipefail", "-c"), "python": (sys.executable, "-c")}


class Example(NamedTuple):
    language: str
    code: str
    output: str


EXAMPLES = [Example(**found.groupdict()) for found in BLOCK.finditer(README.read_text())]


def test_every_mark_has_its_blocks() -> None:
    assert len(EXAMPLES) == README.read_text().count(MARK) > 0


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """As who reads the page has it."""
    service = Service("test-readme", auth=True)
    yield service
    assert service.stop() == 0, service.said()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.code.splitlines()[0][:40])
def test_an_example_prints_what_the_readme_says(
    service: Service, example: Example, tmp_path: Path
) -> None:
    _install_command(tmp_path / "bin")
    code = example.code.replace(ADDRESS, f"127.0.0.1:{service.port}")
    done = subprocess.run(
        [*RUNNERS[example.language], code],
        cwd=tmp_path,
        env={**os.environ, **_environment(service, tmp_path / "bin")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patient(SECONDS),
    )
    assert re.fullmatch(_pattern(example.output), done.stdout), done.stdout + done.stderr


def _pattern(output: str) -> str:
    """The output as a pattern. A last line end is the shell's prompt's business."""
    lines = ("[^\n]*".join(map(re.escape, line.split("..."))) for line in output.splitlines())
    return "\n".join(lines) + "\n*"


def _install_command(directory: Path) -> None:
    """`soulbox` on the PATH, as scripts/serve puts it, but from this checkout."""
    directory.mkdir()
    command = directory / "soulbox"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m soulbox_core "$@"\n')
    command.chmod(0o755)


def _environment(service: Service, commands: Path) -> dict[str, str]:
    return {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(README.parent),
        "SOULBOX_URL": service.url,
        "SOULBOX_KEY": service.key,
    }
