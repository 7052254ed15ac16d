"""This checkout's files, and what is built of them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(file.parent.name for file in ROOT.glob("plugins/*/pyproject.toml"))
DISTRIBUTIONS = ["soulbox_core", *(f"soulbox_{name}" for name in PLUGINS)]


def names(checkout: Path = ROOT) -> list[str]:
    """The names of its files, as the scripts ask for them."""
    command = 'source "$1/scripts/lib/checkout.sh" && source_files "$2"'
    listed = subprocess.run(
        ["bash", "-euc", command, "bash", ROOT, checkout], capture_output=True, check=True
    )
    found = os.fsdecode(listed.stdout).split("\0")
    return [os.path.normpath(name) for name in found if name]
