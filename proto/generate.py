"""Make the Python code of the .proto files: at each build, and for a checkout that is not built."""

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PACKAGE = "soulbox_core/rpc/v1"
_SOURCE = "proto/soulbox/v1"


def generate(root: Path) -> None:
    """Write the modules below `root`, which is a checkout.

    :raises RuntimeError: the compiler refused
    """
    target = root / PACKAGE
    target.mkdir(exist_ok=True)
    (target / "__init__.py").write_text('"""Made by proto/generate.py."""\n')
    names = [f"{PACKAGE}/{file.name}" for file in sorted((root / _SOURCE).glob("*.proto"))]
    code = protoc.main(
        [
            "protoc",
            f"--proto_path={PACKAGE}={root / _SOURCE}",
            f"--proto_path={files('grpc_tools') / '_proto'}",
            f"--python_out={root}",
            f"--pyi_out={root}",
            *names,
        ]
    )
    if code:
        raise RuntimeError(f"protoc ended with {code}")


if __name__ == "__main__":
    generate(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
