"""Fills an image's last layer: the plugin's files, then its command lines, run in the image.

Runs by itself, on the standard library alone, inside `podman unshare`: only there can a rootless
user mount a container's root. What to do comes as JSON on stdin.

    podman unshare python3 setup_layer.py CONTAINER

The command lines run under chroot(1) in mount and PID namespaces of their own, on the host's
network. So no OCI runtime is needed, nothing of them is left running, and what is mounted for
their time only (certificates, name resolution, scratch directories, the operator's configuration
of package managers) cannot end up in the image.
"""

import ctypes
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

_APART = "--apart"
_CLONE_NEWNS, _CLONE_NEWPID = 0x00020000, 0x20000000  # linux/sched.h
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_WRITE = 'mkdir -p "${1%/*}/" && rm -f "$1" && cat >"$1" && chmod "$2" "$1"'
_SCRATCH = {"root": ("root",), "tmp": ("tmp", "var/tmp"), "run": ("run",)}
"""Directories that are made for the commands, and where in the image they are seen."""
_SHOWN_CHARACTERS = 160


def main(container: str) -> None:
    """Mount the container's root, make what the commands need around it, and start them."""
    plan = json.load(sys.stdin)
    scratch = Path(plan["scratch"])
    with ExitStack() as stack:
        root = stack.enter_context(_mounted(container))
        stack.enter_context(_scratch(scratch, plan["home"]))
        for path in plan["mounts"]:
            stack.enter_context(_mount_point(root / path.lstrip("/")))
        command = (sys.executable, __file__, _APART, str(root))
        done = subprocess.run(command, input=json.dumps(plan), text=True, check=False)
    raise SystemExit(done.returncode)


def apart(root: Path) -> None:
    """Fill the image in namespaces that end, with all that runs in them, when this process does.

    Not by unshare(1): Ubuntu's AppArmor takes all capabilities from what that starts.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWPID):
        raise SystemExit(f"unshare: {os.strerror(ctypes.get_errno())}")
    child = os.fork()
    if child == 0:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        inside(root)
        return
    _, status = os.waitpid(child, 0)
    raise SystemExit(os.waitstatus_to_exitcode(status))


def inside(root: Path) -> None:
    """Put the files in place and run the commands; we are process 1 of our namespace."""
    os.umask(0o022)  # a cell's user must be able to read what is made
    plan = json.load(sys.stdin)
    _mount("--make-rprivate", "/")
    _mount_all(root, plan)
    for path, source, mode in plan["files"]:
        script = ("sh", "-c", _WRITE, "sh", path, f"{mode:o}")
        with open(source, "rb") as content:
            _run(root, script, plan["env"], content, f"writing {path}")
    for argv in plan["commands"]:
        print(f"$ {_shown(argv)}", flush=True)
        _run(root, argv, plan["env"], subprocess.DEVNULL, f"`{_shown(argv)}`")


def _run(root: Path, argv: Any, env: dict[str, str], stdin: Any, what: str) -> None:
    done = subprocess.run(("chroot", str(root), *argv), env=env, cwd="/", stdin=stdin, check=False)
    if done.returncode < 0:
        raise SystemExit(f"{what} was ended by signal {-done.returncode}")
    if done.returncode:
        raise SystemExit(f"{what} ended with exit code {done.returncode}")


def _shown(argv: list[str]) -> str:
    """A command line on one line, and not a whole script of it."""
    line = " ".join(shlex.join(argv).split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}..."


def _mount_all(root: Path, plan: dict[str, Any]) -> None:
    if not _mount("-t", "proc", "proc", root / "proc", check=False):
        # A host that is a container itself may refuse a fresh one.
        _mount("--rbind", "/proc", root / "proc")
    _mount_devices(root / "dev")
    for name, places in _SCRATCH.items():
        for place in (root / each for each in places):
            if not place.is_symlink():
                place.mkdir(parents=True, exist_ok=True)
                _mount("--bind", Path(plan["scratch"]) / name, place)
    for path, source in plan["mounts"].items():
        _mount("--bind", source, root / path.lstrip("/"))


def _mount_devices(dev: Path) -> None:
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", dev)
    for name in _DEVICES:
        (dev / name).touch()
        _mount("--bind", f"/dev/{name}", dev / name)
    (dev / "shm").mkdir()
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", dev / "shm")
    (dev / "fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (dev / name).symlink_to(f"/proc/self/fd/{number}")


def _mount(*words: object, check: bool = True) -> bool:
    argv = ("mount", *map(str, words))
    errors = None if check else subprocess.DEVNULL
    return subprocess.run(argv, check=check, stderr=errors).returncode == 0


@contextmanager
def _mounted(container: str) -> Iterator[Path]:
    done = subprocess.run(
        ("podman", "mount", container), check=True, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Path(done.stdout.strip())
    finally:
        subprocess.run(("podman", "unmount", container), check=False, stdout=subprocess.DEVNULL)


@contextmanager
def _scratch(scratch: Path, home: dict[str, str]) -> Iterator[None]:
    """Make the directories that are gone after the setup, with the operator's files in its home.

    In here, and not before `podman unshare`: commands may leave files there that belong to
    subordinate ids.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        for name in _SCRATCH:
            (scratch / name).mkdir(parents=True)
        scratch.chmod(0o711)  # its directories are seen in the image, it is not
        (scratch / "root").chmod(0o700)
        (scratch / "tmp").chmod(0o1777)
        for path, source in home.items():
            target = scratch / "root" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        yield
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _mount_point(path: Path) -> Iterator[None]:
    """Have a file to mount another one over, and put back what was there before.

    A link would be followed on the host: it leads somewhere else from inside the image.
    """
    link = os.readlink(path) if path.is_symlink() else None
    if link is not None:
        path.unlink()
    absent = not path.exists()
    if absent:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    try:
        yield
    finally:
        if absent:
            path.unlink()
        if link is not None:
            path.symlink_to(link)


if __name__ == "__main__":
    try:
        if sys.argv[1] == _APART:
            apart(Path(sys.argv[2]))
        else:
            main(sys.argv[1])
    except subprocess.CalledProcessError as failed:
        raise SystemExit(f"{shlex.join(failed.cmd)} failed") from None
