"""Python for SoulBox: CPython with what people import most at hand."""

from pathlib import Path

from soulbox_core import Image, Language, hookimpl
from soulbox_python.cold import COLD_VARIABLES
from soulbox_python.packages import DEPENDENCIES, PRELOADS, PYPI

PYTHON = Language(
    name="python",
    title="Python",
    aliases=("py", "python3"),
    image=Image(
        # numpy's wheels bring OpenBLAS along but not libstdc++; zoneinfo and pandas read tzdata.
        packages=("python3", "libstdc++6", "tzdata"),
        pypi=PYPI,
    ),
    source_file="main.py",
    run=("python3", "{entrypoint}"),
    version=("python3", "--version"),
    hello='print("Hello, World!")\n',
    env={
        # Threads neither survive a fork nor gain anything on the one core a run has by default.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # A cell lives for one run: a cached import is never read, and would be left behind
        # among the program's own files.
        "PYTHONDONTWRITEBYTECODE": "1",
        # No display is there to be looked for.
        "MPLBACKEND": "agg",
        # matplotlib insists on a directory that it may write to. This one is in a cell, where it
        # is not among the program's own files, and where the template is made as well.
        "MPLCONFIGDIR": "/dev/shm/matplotlib",  # noqa: S108, the cell's own
    },
    live_env={"PYTHONUNBUFFERED": "1"},
    template=Path(__file__).with_name("template.py"),
    preloads=PRELOADS,
    cold_env=COLD_VARIABLES,
    dependencies=DEPENDENCIES,
)


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [PYTHON]
