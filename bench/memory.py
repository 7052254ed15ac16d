"""Proportional set size of a container: its processes and their conmon.

Run by `podman unshare`, which has the right to look at processes of other ids of ours:
`podman unshare python3 -m bench.memory MARK` prints bytes.
"""

import sys
from pathlib import Path


def container_pss_bytes(control_dir_mark: str) -> int:
    """PSS (proc_pid_smaps(5)) of all processes of the containers with this mark.

    :param control_dir_mark: part of the path of the control directory that is mounted there, or
        of conmon's command line
    """
    total = 0
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and _belongs(path, control_dir_mark):
            total += _pss_bytes(path)
    return total


def _belongs(path: Path, mark: str) -> bool:
    try:
        if mark.encode() in (path / "cmdline").read_bytes() and _is_conmon(path):
            return True
        namespaces = (path / "status").read_text().split("NSpid:")[1].split("\n")[0].split()
        if len(namespaces) == 2:
            return mark in (path / "mountinfo").read_text()
        if namespaces[-1] == "1":
            return False  # an init: its memory is the warden's, and counted there
        # A cell has left the mount behind; its parent has it.
        return len(namespaces) > 2 and _parent_belongs(path, mark)
    except (OSError, IndexError):
        return False


def _parent_belongs(path: Path, mark: str) -> bool:
    parent = (path / "status").read_text().split("PPid:")[1].split()[0]
    return parent != "0" and _belongs(Path("/proc") / parent, mark)


def _is_conmon(path: Path) -> bool:
    return (path / "comm").read_text().strip() == "conmon"


def _pss_bytes(path: Path) -> int:
    try:
        for line in (path / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


if __name__ == "__main__":
    print(container_pss_bytes(sys.argv[1]))
