"""Run as root of a host or of a user namespace, with two ids: gives a directory away
as a container runtime gives a cgroup subtree, and has the container's entry take it. Prints
whose it is then.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

FIRST_ID = 1000
"""Of the container, outside."""
IDS = 30_000
FILES = ("cgroup.procs", "cgroup.subtree_control", "cgroup.threads")
CAPABILITIES = "-all,+chown,+setgid,+setuid"
_ENTRY = Path(__file__).parents[2] / "deploy/container/entrypoint"
_IN_NAMESPACE = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER
    sys.exit(os.strerror(ctypes.get_errno()))
print(flush=True)
os.read(0, 1)  # until its users are mapped
os.setresgid(0, 0, 0)
os.setresuid(0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
_USER = "daemon"
"""One that every machine has, in place of the image's."""


def main(owner: int, group: int) -> int:
    """Give and take."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        return _tried(Path(place), owner, group)


def _tried(root: Path, owner: int, group: int) -> int:
    for name in FILES:
        (root / name).touch()
    for path in (root, *root.iterdir()):
        os.chown(path, owner, group)
    functions, case, _ = (
        _ENTRY.read_text().replace("user=soulbox", f"user={_USER}").partition("\ncase ")
    )
    assert case
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            _IN_NAMESPACE,
            "setpriv",
            f"--bounding-set={CAPABILITIES}",
            "sh",
            "-s",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for kind in ("uid", "gid"):
            Path(f"/proc/{process.pid}/{kind}_map").write_text(f"0 {FIRST_ID} {IDS}")
        process.communicate(f"\n{functions}\ntake {root} {' '.join(FILES)}\n")
    print(*{path.stat().st_uid for path in (root, *root.iterdir())})
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
