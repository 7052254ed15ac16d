"""Installs requirements for an image's Python into a directory that will become its layer.

Runs by itself, on the standard library alone, inside `podman unshare`: only there can a rootless
user mount an image.

    podman unshare python3 pypi_layer.py IMAGE STAGE PIP REQUIREMENT...

pip runs on the host, where the operator's pip.conf, indexes and certificates are, but on the
image's interpreter, started through the image's own dynamic loader. So markers such as
`python_version >= "3.13"` and wheel tags are right for the image by themselves; pip's
`--python-version` and `--platform` would judge markers by the host's Python (pypa/pip #11664).
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOADER = re.compile(rb"/lib[^\0]*/ld[^\0/]*\.so\.\d+")
_ELF_HEAD_BYTES = 4096
"""The program headers' PT_INTERP string stands right behind them (elf(5))."""
_PROBE = "import sysconfig; print(sysconfig.get_path('purelib'))"
_RUN_PIP = (
    "import runpy, sys; pip = sys.argv.pop(1); sys.executable = '/usr/bin/python3'; "
    "runpy.run_path(pip, run_name='__main__')"
)
"""pip writes sys.executable into scripts: it must be the interpreter's name inside the image."""


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """The image's root directory, read-only for us by agreement."""
    done = subprocess.run(
        ("podman", "image", "mount", image), check=True, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Path(done.stdout.strip())
    finally:
        subprocess.run(
            ("podman", "image", "unmount", image), check=False, stdout=subprocess.DEVNULL
        )


def interpreter(root: Path) -> tuple[str, ...]:
    """The command line that starts the image's Python outside of the image."""
    python = (root / "usr/bin/python3").resolve()
    with python.open("rb") as file:
        found = _LOADER.search(file.read(_ELF_HEAD_BYTES))
    if not found:
        raise SystemExit(f"{python} names no dynamic loader; cannot install requirements for it")
    loader = (root / found[0].decode().lstrip("/")).resolve()
    return (str(loader), "--library-path", str(loader.parent), str(python), "-s", "-P")


def install(root: Path, stage: Path, pip: str, requirements: list[str]) -> None:
    """Fill `stage`, which mirrors the image's root, with compiled packages."""
    python = interpreter(root)
    env = {**os.environ, "PYTHONHOME": str(root / "usr"), "PYTHONDONTWRITEBYTECODE": "1"}
    probe = subprocess.run((*python, "-c", _PROBE), env=env, check=True, stdout=subprocess.PIPE)
    inside = Path(probe.stdout.decode().strip()).relative_to(root)
    target = stage / inside
    target.mkdir(parents=True)
    subprocess.run(pip_argv(python, pip, target, requirements), env=env, check=True)
    if (target / "bin").is_dir():
        shutil.move(target / "bin", stage / "usr/local/bin")
    # A file that does not compile cannot be imported either: its failure is no news.
    compiling = compile_argv(python, stage, target)
    subprocess.run(compiling, env=env, check=False, stdout=subprocess.DEVNULL)


def pip_argv(
    python: tuple[str, ...], pip: str, target: Path, requirements: list[str]
) -> tuple[str, ...]:
    """The command line that installs wheels, and never builds from source, into `target`."""
    return (
        *(*python, "-c", _RUN_PIP, pip, "install", "--target", str(target)),
        *("--only-binary=:all:", "--no-compile", "--root-user-action=ignore"),
        *("--progress-bar=off", "--", *requirements),
    )


def compile_argv(python: tuple[str, ...], stage: Path, target: Path) -> tuple[str, ...]:
    """The command line that compiles the packages, so that no run in a read-only image has to.

    unchecked-hash: a .pyc is never compared with its source, whatever the layer does to mtimes.
    Tests that packages ship are left as they are: in pandas and numpy they are half of the code.
    """
    return (
        *(*python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"),
        *("-x", "/tests?/", "-s", str(stage), "-p", "/", str(target)),
    )


def main(image: str, stage: str, pip: str, *requirements: str) -> None:
    """Install, or exit with pip's code."""
    os.umask(0o022)  # a cell's user must be able to read the packages
    try:
        with mounted(image) as root:
            install(root, Path(stage), pip, list(requirements))
    except subprocess.CalledProcessError as error:
        raise SystemExit(error.returncode) from None


if __name__ == "__main__":
    main(*sys.argv[1:])
