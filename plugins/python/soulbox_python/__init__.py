"""Python for SoulBox: CPython with numpy and pandas at hand."""

from pathlib import Path

from soulbox_core import Image, Language, hookimpl
from soulbox_python.cold import COLD_VARIABLES

PYTHON = Language(
    name="python",
    title="Python",
    aliases=("py", "python3"),
    image=Image(
        # numpy's wheels bring OpenBLAS along but not libstdc++; zoneinfo and pandas read tzdata.
        packages=("python3", "libstdc++6", "tzdata"),
        pypi=("numpy>=2.4,<3", "pandas>=3,<4"),
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
        "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108, the cell's own /tmp
    },
    live_env={"PYTHONUNBUFFERED": "1"},
    template=Path(__file__).with_name("template.py"),
    preloads=("numpy", "pandas"),
    cold_env=COLD_VARIABLES,
)


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [PYTHON]
