"""Wheels and source distributions, the same bytes from the same sources.

    python3 -m release.distributions CHECKOUT DIRECTORY wheel|sdist... < NAMES

NAMES are those of the checkout's files, each ended by NUL. It runs where the build back-ends
are installed, and fetches nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

KINDS = ("wheel", "sdist")
_UNDATED = 1580601600
"""For sources that nothing dates: what the back-end takes, too, when it is not told."""
_DATE_FILE = ".source-date"


def build(checkout: Path, names: Iterable[str], target: Path, kinds: Sequence[str]) -> None:
    """Build the core and each plugin.

    :param names: the checkout's files, relative to it; no others count
    :param target: directory that the distributions are put into
    :param kinds: of `KINDS`
    :raises subprocess.CalledProcessError: a build failed, and has said why
    """
    target = target.absolute()
    environment = {
        # The least that compilers and back-ends want; nothing of it says who builds, or where.
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(source_date(checkout)),
    }
    with tempfile.TemporaryDirectory(prefix="soulbox-dist.") as directory:
        copy = Path(directory)
        _copy(checkout, names, copy)
        for project in sorted((copy, *copy.glob("plugins/*/"))):
            if (project / "pyproject.toml").exists():
                # Whatever back-end it names must be here: none is fetched.
                subprocess.run(
                    [
                        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", target),
                        *(f"--{kind}" for kind in kinds),
                    ],
                    cwd=project,
                    env=environment,
                    umask=0o022,
                    check=True,
                )


def source_date(checkout: Path) -> int:
    """When the sources last changed, in seconds of Unix time, whatever the clock says.

    :raises ValueError: SOURCE_DATE_EPOCH is no number
    :raises subprocess.CalledProcessError: git does not know
    """
    if date := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(date)
    if (checkout / ".git").exists():
        command = ("git", "-c", f"safe.directory={checkout}", "-C", checkout)
        shown = subprocess.run(
            [*command, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=True
        )
        return int(shown.stdout)
    # `git archive` writes the date where the file has a place for it.
    file = checkout / _DATE_FILE
    date = file.read_text().strip() if file.exists() else ""
    return int(date) if date.isdigit() else _UNDATED


def _copy(checkout: Path, names: Iterable[str], copy: Path) -> None:
    """Copy files with modes that owe nothing to a umask."""
    for name in names:
        source, place = checkout / name, copy / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        place.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def main() -> None:
    """Be the command that the module's head shows."""
    checkout, target, *kinds = sys.argv[1:]
    names = os.fsdecode(sys.stdin.buffer.read()).split("\0")
    try:
        build(Path(checkout), filter(None, names), Path(target), kinds)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()
