"""The container's first process takes its cgroup subtree, whichever runtime gave it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy import subtree
from tests.deploy.test_container import CAPABILITIES

PROJECT = Path(__file__).parents[2]


def taken(owner: int, group: int) -> subprocess.CompletedProcess[str]:
    """Files in place of a cgroup's: what a change of owner needs is the same for all files."""
    namespace = ("unshare", "--user", "--map-root-user", "--map-auto")
    argv = (sys.executable, "-m", "tests.deploy.subtree", str(owner), str(group))
    return subprocess.run(
        argv if os.geteuid() == 0 else namespace + argv,
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "group", [subtree.FIRST_ID, 0], ids=["by crun", "none of its own, by runc"]
)
def test_the_subtree_is_taken_whatever_its_group(group: int) -> None:
    done = taken(subtree.FIRST_ID, group)
    assert done.returncode == 0, done.stderr
    (owner,) = map(int, done.stdout.split())
    assert owner > subtree.FIRST_ID


def test_what_is_the_hosts_is_not_taken() -> None:
    done = taken(0, 0)
    assert done.returncode == 2
    assert "cannot be given to user" in done.stderr


def test_it_is_tried_with_the_capabilities_that_the_container_has() -> None:
    assert set(subtree.CAPABILITIES.upper().split(",+")) == {"-ALL", *CAPABILITIES}
