import subprocess
import sys

import soulbox_core
from soulbox_core import testing

SERVER = ("starlette", "hypercorn", "uvloop", "podman", "httpx", "typer", "rich")


def test_public_names() -> None:
    assert soulbox_core.__all__ == [
        "Boot",
        "Compile",
        "Dependencies",
        "Image",
        "Language",
        "Limits",
        "Option",
        "Source",
        "SourceFile",
        "hookimpl",
    ]
    assert testing.__all__ == ["Programs", "conformance", "registered"]


def test_every_public_name_is_there() -> None:
    for module in (soulbox_core, testing):
        for name in module.__all__:
            assert getattr(module, name).__doc__ or name == "hookimpl", name


def test_a_plugin_does_not_import_the_server() -> None:
    command = "import soulbox_core, sys; print(*(name.partition('.')[0] for name in sys.modules))"
    imported = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(imported).isdisjoint(SERVER)
    assert "pluggy" in imported
