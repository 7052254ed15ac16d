"""The disks that carry what the job needs.

code     the checkout as it is, and what to do with it; made for every run
storage  the images of all languages, made by scripts/test-vm with storage.py
"""

import os
import shutil
import ssl
from collections.abc import Iterable
from pathlib import Path

from tools import run, say

_GUEST = Path(__file__).parent / "guest"


def code_disk(project: Path, files: Iterable[str], job: str, work: Path) -> Path:
    """The project's files and a script to run.

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
    if trusted := _authorities():
        shutil.copy(trusted, tree / "authorities.pem")
    return _disk(tree, "code", work / "code.ext4")


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
