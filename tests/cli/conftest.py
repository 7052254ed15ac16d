"""A scripted service, and the command line to talk to it with."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from soulbox_core.cli import application
from tests.cli.service import ScriptedService, scripted_service

Invoke = Callable[..., Result]


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    with scripted_service() as service:
        yield service


@pytest.fixture
def invoke() -> Invoke:
    """Call a command in this process."""

    def call(command: str, *args: str, stdin: bytes = b"") -> Result:
        return CliRunner().invoke(application([command]), [command, *args], input=stdin)

    return call


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A Python file; the service does not look into it."""
    file = tmp_path / "hello.py"
    file.write_text("print('Hello')\n")
    return file
