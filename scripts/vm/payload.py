"""The read-only disks that carry what the job needs: the machine has no network."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Callable, Iterable
from pathlib import Path

from host import Unable, machine, run, say

PYTHON = "3.13"  # of the system disk's Debian release
GLIBC_MINORS = (41, 39, 36, 35, 34, 31, 28, 27, 26, 24, 17)
NOT_NEEDED = ("ruff", "mypy")
"""Development tools that no test imports."""
_SLACK = 1.3
"""ext4's own needs over the size of the files."""


def code_disk(project: Path, job: str, work: Path) -> Path:
    """The checkout as it is now, tracked and new files alike, and the job to run."""
    tree = work / "code"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=project,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = project / name, tree / "checkout" / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    guest = tree / "guest"
    shutil.copytree(Path(__file__).parent / "guest", guest)
    (guest / "job").write_text(job)
    (guest / "job").chmod(0o755)
    return _disk(tree, "code", work / "code.ext4")


def site_disk(project: Path, cache: Path) -> Path:
    """Third-party packages for the machine's Python, as one directory."""
    wanted = sorted(_requirements(project))

    def fill(tree: Path) -> None:
        say(f"fetching {len(wanted)} packages and what they need, for Python {PYTHON}")
        run([*_pip(cache), "install", "--target", str(tree), *_for_the_machine(), *wanted])

    return _cached(cache, "site", [PYTHON, wanted], fill)


def _requirements(project: Path) -> Iterable[str]:
    for file in (project / "pyproject.toml", *project.glob("plugins/*/pyproject.toml")):
        if file.is_file():
            data = tomllib.loads(file.read_text())
            ours = data["project"]["dependencies"] + data.get("dependency-groups", {}).get("dev", [])
            yield from (
                one for one in ours if not one.startswith((*NOT_NEEDED, "soulbox"))
            )


def _for_the_machine() -> list[str]:
    platforms = [f"manylinux_2_{minor}_{machine()}" for minor in GLIBC_MINORS]
    platforms += [f"manylinux2014_{machine()}", f"linux_{machine()}"]
    return [
        *("--python-version", PYTHON, "--only-binary=:all:", "--no-compile"),
        *(word for platform in platforms for word in ("--platform", platform)),
    ]


def _pip(cache: Path) -> list[str]:
    """A pip of our own: Debian's python3 may have none."""
    tools = cache / "tools"
    python = tools / "bin" / "python"
    if not python.exists():
        try:
            venv.create(tools, with_pip=True, clear=True)
        except subprocess.CalledProcessError:
            raise Unable("python3 cannot make a venv; run: sudo apt-get install python3-venv") from None
    return [str(python), "-m", "pip", "--quiet"]


def _cached(cache: Path, label: str, key: object, fill: Callable[[Path], None]) -> Path:
    name = f"{label}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}.ext4"
    if not (cache / name).exists():
        with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as work:
            tree = Path(work) / "tree"
            tree.mkdir()
            fill(tree)
            _disk(tree, label, Path(work) / "disk").rename(cache / name)
        for old in cache.glob(f"{label}-*.ext4"):
            if old.name != name:
                old.unlink()
    return cache / name


def _disk(tree: Path, label: str, disk: Path) -> Path:
    """Put a directory on an ext4 disk; needs no privilege."""
    files = [path.lstat() for path in tree.rglob("*")]
    kib = sum(file.st_size // 1024 + 4 for file in files) * _SLACK + 4096
    options = ["-O", "^has_journal", "-m", "0", "-N", str(len(files) + 1024)]
    run(["mke2fs", "-q", "-t", "ext4", "-L", label, *options, "-d", str(tree), str(disk), f"{int(kib)}k"])
    return disk
