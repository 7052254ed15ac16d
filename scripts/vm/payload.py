"""The disks that carry what the job needs: the machine has no network.

code     the checkout as it is, and what to do with it; made for every run
site     third-party packages for the machine's Python; kept until the requirements change
storage  the service's home with its images loaded; kept until the images change
"""

import hashlib
import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from base import MACHINE, PYTHON
from tools import run, say

_GLIBC_MINORS = (41, 39, 36, 35, 34, 31, 28, 27, 26, 24, 17)
"""Of the manylinux tags (PEP 600) that the machine's libc can take."""
_NOT_NEEDED = ("ruff", "mypy", "build", "hatchling", "pip-audit", "cyclonedx")
"""Development tools that no integration test imports."""
_STORAGE_SIZE = "8G"
_GUEST = Path(__file__).parent / "guest"


def code_disk(project: Path, files: Iterable[str], job: str, work: Path) -> Path:
    """The project's files, its distributions, and a script to run.

    :param files: relative to the project
    """
    tree = work / "code"
    checkout = tree / "checkout"
    for name in files:
        target = checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / name, target)
    shutil.copytree(_GUEST, tree / "guest")
    (tree / "guest" / "job").write_text(job)
    (tree / "guest" / "job").chmod(0o755)
    plugins = [str(file.parent) for file in checkout.glob("plugins/*/pyproject.toml")]
    _pip_install(tree / "dist", "--no-deps", str(checkout), *plugins)
    return _disk(tree, "code", work / "code.ext4")


def site_disk(project: Path, cache: Path) -> Path:
    """What the core, its plugins and its tests need from PyPI."""
    wanted = sorted(set(_requirements(project)))
    key = hashlib.sha256(json.dumps([PYTHON, wanted]).encode()).hexdigest()[:16]
    disk = cache / f"site-{key}.ext4"
    if not disk.exists():
        say(f"fetching packages for the machine's Python {PYTHON}")
        with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as work:
            tree = Path(work) / "site"
            _pip_install(tree, "--only-binary=:all:", *_for_the_machine(), *wanted)
            _disk(tree, "site", Path(work) / "disk").rename(disk)
        forget_others(disk)
    return disk


def empty_storage_disk(disk: Path) -> None:
    """A disk for the service's home, which the machine will fill."""
    run("mke2fs", "-q", "-t", "ext4", "-L", "storage", "-m", "0", str(disk), _STORAGE_SIZE)


def archive_disk(archive: Path, work: Path) -> Path:
    """A disk that brings an archive of images into the machine."""
    tree = work / "images"
    tree.mkdir()
    archive.rename(tree / "images.tar")
    return _disk(tree, "images", work / "images.ext4")


def forget_others(disk: Path) -> None:
    """Remove the disks that this one replaces."""
    label = disk.name.partition("-")[0]
    for old in disk.parent.glob(f"{label}-*.ext4"):
        if old != disk:
            old.unlink()


def _requirements(project: Path) -> Iterator[str]:
    for file in (project / "pyproject.toml", *project.glob("plugins/*/pyproject.toml")):
        data = tomllib.loads(file.read_text())
        of_tests = data.get("dependency-groups", {}).get("dev", [])
        for requirement in (*data["project"].get("dependencies", []), *of_tests):
            if not requirement.startswith((*_NOT_NEEDED, "soulbox")):
                yield requirement


def _for_the_machine() -> Iterator[str]:
    yield f"--python-version={PYTHON}"
    yield f"--platform=manylinux2014_{MACHINE}"
    for minor in _GLIBC_MINORS:
        yield f"--platform=manylinux_2_{minor}_{MACHINE}"


def _pip_install(target: Path, *arguments: str) -> None:
    quietly = ("--quiet", "--no-compile", "--root-user-action=ignore")
    run(sys.executable, "-m", "pip", "install", *quietly, "--target", str(target), *arguments)


def _disk(tree: Path, label: str, disk: Path) -> Path:
    """Put a directory on an ext4 disk of just the size; needs no privilege."""
    sizes = [path.lstat().st_size for path in tree.rglob("*")]
    kib = sum(size // 1024 + 4 for size in sizes) * 11 // 10 + 8192
    options = ("-O", "^has_journal", "-m", "0", "-N", str(len(sizes) + 1024))
    say(f"writing the {label} disk")
    run("mke2fs", "-q", "-t", "ext4", "-L", label, *options, "-d", str(tree), str(disk), f"{kib}k")
    return disk
