"""Makes what is built: the Python code of the .proto files."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GeneratedCode(BuildHookInterface):  # type: ignore[type-arg]  # of configuration, which it has none of
    """Hatch's hook, called before each build, editable ones too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        sys.path.insert(0, str(root / "proto"))
        from generate import PACKAGE, generate  # it is beside us, and in no package

        generate(root)
        build_data["artifacts"].append(f"/{PACKAGE}/*")
