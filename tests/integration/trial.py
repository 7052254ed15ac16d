"""A service with a plugin of the tests' own, and without those that are installed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.integration.service import Service

PLUGINS = Path(__file__).with_name("plugin")
COMPILE_SECONDS = 3
INSTALL_SECONDS = 10
ARTIFACT_BYTES = 1 << 20
FLAGS = (
    "pool.parked=2",
    "cache.store_bytes=268435456",
    f"limits.compile.wall_seconds={COMPILE_SECONDS}",
    "limits.compile.memory_bytes=134217728",
    "limits.compile.scratch_bytes=33554432",
    "limits.compile.output_bytes=65536",
    "limits.compile.processes=16",
    f"limits.compile.output_file_bytes={ARTIFACT_BYTES}",
    f"limits.install.wall_seconds={INSTALL_SECONDS}",
    "limits.install.memory_bytes=268435456",
    "limits.install.scratch_bytes=67108864",
    "limits.install.output_file_bytes=4194304",
)


@contextmanager
def trial_service(
    instance: str, *flags: str, module: str = "soulbox_trial", whole: bool = True
) -> Iterator[Service]:
    """A service whose only languages are those of a module beside this one.

    :param flags: more `--set key=value`
    :param whole: it is only there when every language is ready
    """
    with TemporaryDirectory() as directory:
        env = {
            "PYTHONPATH": f"{_distribution(directory, module)}{os.pathsep}{PLUGINS}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        others = json.dumps([one.name for one in entry_points(group="soulbox")])
        blocked = f"plugins.blocked={others}"
        build = ["-m", "soulbox_core", "images", "build", "--set", blocked]
        subprocess.run([sys.executable, *build], env={**os.environ, **env}, check=True)
        service = Service(instance, *FLAGS, blocked, *flags, env=env, whole=whole)
        try:
            yield service
        finally:
            assert service.stop() == 0, service.said()


def _distribution(directory: str, module: str) -> str:
    """What pip would leave to say that a module is a plugin."""
    info = Path(directory) / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[soulbox]\n{module} = {module}\n")
    return directory


def last_line(answer: dict[str, Any]) -> str:
    """Of what a program or its compiler wrote to stderr."""
    return str(answer["stderr"]).rstrip("\n").split("\n")[-1]
