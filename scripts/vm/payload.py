"""The disks that carry what the job needs.

code     the checkout as it is, and what to do with it; made for every run
wheels   what pip would fetch to install it; kept until locks/ change
storage  the images of all languages, made by scripts/test-vm with storage.py
"""

import hashlib
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from base import MACHINE, PYTHON
from tools import run, say

_GLIBC_MINORS = (41, 39, 36, 35, 34, 31, 28, 27, 26, 24, 17)
"""Of the manylinux tags (PEP 600) that the machine's libc can take."""
_LOCKS = ("build", "runtime", "dev")
_BESIDES = ("editables",)
"""What hatchling takes for the editable install in docs/tutorial.md."""
_GUEST = Path(__file__).parent / "guest"


def code_disk(
    project: Path, files: Iterable[str], job: str, tools: Iterable[Path], work: Path
) -> Path:
    """The project's files and a script to run.

    :param files: relative to the project
    :param tools: programs of this host that would take too long to build there
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
    (tree / "tools").mkdir()
    for tool in tools:
        shutil.copy(tool, tree / "tools")
    if trusted := _authorities():
        shutil.copy(trusted, tree / "authorities.pem")
    return _disk(tree, "code", work / "code.ext4")


def wheels_disk(project: Path, cache: Path) -> Path:
    """A directory in which pip finds what locks/ lists.

    Emulated, pip takes as long to read the index as to install.
    """
    locks = [project / "locks" / f"{name}.txt" for name in _LOCKS]
    recipe = (repr((PYTHON, _BESIDES)).encode(), *map(Path.read_bytes, locks))
    key = hashlib.sha256(b"".join(recipe)).hexdigest()[:16]
    disk = cache / f"wheels-{key}.ext4"
    if not disk.exists():
        say(f"fetching packages for the machine's Python {PYTHON}")
        with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as work:
            tree = Path(work) / "wheels"
            for wanted in (*(("--requirement", str(lock)) for lock in locks), _BESIDES):
                pip = (sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(tree))
                run(*pip, *_for_the_machine(), "--no-deps", "--only-binary=:all:", *wanted)
            _disk(tree, "wheels", Path(work) / "disk").rename(disk)
        for old in cache.glob("wheels-*"):
            if old != disk:
                old.unlink()
    return disk


def _for_the_machine() -> Iterator[str]:
    yield f"--python-version={PYTHON}"
    yield f"--platform=manylinux2014_{MACHINE}"
    for minor in _GLIBC_MINORS:
        yield f"--platform=manylinux_2_{minor}_{MACHINE}"


def _authorities() -> str | None:
    """The certificates by which this host trusts registries."""
    return os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile


def _disk(tree: Path, label: str, disk: Path) -> Path:
    """Put a directory on an ext4 disk of just the size; needs no privilege."""
    sizes = [path.lstat().st_size for path in tree.rglob("*")]
    kib = sum(size // 1024 + 4 for size in sizes) * 11 // 10 + 8192
    options = ("-O", "^has_journal", "-m", "0", "-N", str(len(sizes) + 1024))
    say(f"writing the {label} disk")
    run("mke2fs", "-q", "-t", "ext4", "-L", label, *options, "-d", str(tree), str(disk), f"{kib}k")
    return disk
