"""The container's first process takes its cgroup subtree, whichever runtime gave it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.test_container import CAPABILITIES, DEPLOY

FIRST_ID = 100_000
"""Of the container, outside."""
IDS = 65_536
FILES = ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads")
_IN_NAMESPACE = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER
    sys.exit(os.strerror(ctypes.get_errno()))
print(flush=True)
os.read(0, 1)  # until its users are mapped
os.setgroups([])
os.setresgid(0, 0, 0)
os.setresuid(0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
USER = "daemon"
"""One that every machine has, in place of the image's."""


@pytest.fixture
def subtree() -> Iterator[Path]:
    """Files in place of a cgroup's: what a change of owner needs is the same for all files."""
    if os.geteuid() != 0:
        pytest.skip("giving files away takes root")
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        root.chmod(0o755)
        for name in FILES:
            (root / name).touch()
        yield root


def give(root: Path, uid: int, gid: int) -> None:
    """As a container runtime does."""
    for path in (root, *root.iterdir()):
        os.chown(path, uid, gid)


def take(root: Path) -> None:
    """What the entry does, as root of a container's user namespace."""
    entry = (DEPLOY / "container/entrypoint").read_text()
    functions, case, _ = entry.replace("user=soulbox", f"user={USER}").partition("\ncase ")
    assert case
    few = ",".join(["-all", *(f"+{name.lower()}" for name in sorted(CAPABILITIES))])
    with subprocess.Popen(
        [sys.executable, "-c", _IN_NAMESPACE, "setpriv", f"--bounding-set={few}", "sh", "-s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            pytest.skip(f"no user namespace: {process.communicate()[1]}")
        for kind in ("uid", "gid"):
            Path(f"/proc/{process.pid}/{kind}_map").write_text(f"0 {FIRST_ID} {IDS}")
        said = process.communicate(f"\n{functions}\ntake {root} {' '.join(FILES)}\n")[1]
        assert process.returncode == 0, said


@pytest.mark.parametrize(
    "gid", [FIRST_ID, 0], ids=["the container's, by crun", "none of the container's, by runc"]
)
def test_the_subtree_is_taken_whatever_its_group(gid: int, subtree: Path) -> None:
    give(subtree, FIRST_ID, gid)
    take(subtree)
    owners = {path.stat().st_uid for path in (subtree, *subtree.iterdir())}
    assert len(owners) == 1
    assert owners.pop() > FIRST_ID


def test_what_is_the_hosts_is_not_taken(subtree: Path) -> None:
    give(subtree, 0, 0)
    with pytest.raises(AssertionError, match="cannot be given to user"):
        take(subtree)
