"""The mount tree of a cell.

A `Jail` is made once in the container and assembles what all cells share; `enter` runs in each
cell, in a mount namespace of its own that began as a copy of the container's.
"""

from __future__ import annotations

import os
import stat

from . import kernel

WORKDIR = "/box"
_STAGE = "/run/soulbox"
_ROOT = _STAGE + "/root"
_DEVICES = _STAGE + "/dev"
_EMPTY = _STAGE + "/empty"
_SCRATCH = _STAGE + "/scratch"
_EXIT_FIFO = "/soulbox/exit"
STORE = "/store"
"""Artifacts and dependencies, shared by all cells of the language; who knows a key may read it."""
VOLUMES = "/volumes"
"""Where a cell sees the volumes that it was made with."""
VOLUMES_KEPT = "/soulbox/volumes"
"""Where the container has all of them, out of any cell's sight."""
TRUST = "/soulbox/trust"
"""The certificates by which a cell that may reach other hosts knows them."""
BUNDLE = TRUST + "/certificates.pem"
_SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_LEAST_INODES = 16384
_BYTES_PER_INODE = 8192
"""Package managers and build caches write many small files where they get much room."""

_DEVICE_NODES = ("full", "null", "random", "urandom", "zero")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
# What Podman masks in /proc (containers-common, and moby oci/defaults.go). All of a cell's /proc
# is read-only besides.
_MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
)
# What tells of the host or of other cells and no program needs; masked where anybody may read it.
_MASKED_IF_READABLE = (
    "/proc/bus",
    "/proc/config.gz",
    "/proc/fs",
    "/proc/iomem",
    "/proc/ioports",
    "/proc/irq",
    "/proc/kallsyms",
    "/proc/key-users",
    "/proc/modules",
    "/proc/schedstat",
    "/proc/slabinfo",
    "/proc/softirqs",
    "/proc/sysvipc",
    "/proc/vmallocinfo",
)
_READ_ONLY = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV


class Jail:
    """The part of the tree that is the same in every cell of this container.

    A non-recursive bind of / leaves the container's other mounts behind: /proc, /sys, /dev,
    the launcher's files and the control socket.
    """

    def __init__(self) -> None:
        for directory in (_STAGE, _ROOT, _DEVICES, _EMPTY, _SCRATCH):
            os.makedirs(directory, mode=0o755, exist_ok=True)
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.bind("/", _ROOT, _READ_ONLY)
        kernel.bind(STORE, _ROOT + STORE, _READ_ONLY)
        kernel.bind(_EMPTY, _EMPTY, _READ_ONLY)
        _make_devices()
        self._masks = tuple(_mask(path) for path in _MASKED if os.path.exists(path)) + tuple(
            _mask(path) for path in _MASKED_IF_READABLE if _anybody_may_read(path)
        )

    def enter(
        self, uid: int, scratch_bytes: int, *, volumes: list[str], hidden: list[str], trust: bool
    ) -> tuple[int, int]:
        """Finish the tree and make it our mount namespace's root, the working directory current.

        /box, /tmp and /dev/shm are three directories of one tmpfs, so that one size bounds them
        all. A fourth, /soulbox, covers the launcher's own and holds the exit FIFO.

        :param volumes: names of the volumes to show
        :param hidden: paths of the image to cover
        :param trust: show the certificates by which other hosts are known
        :return: descriptors of the exit FIFO's reading end and of the scratch space
        """
        inodes = max(_LEAST_INODES, scratch_bytes // _BYTES_PER_INODE)
        kernel.mount(
            "tmpfs",
            _SCRATCH,
            "tmpfs",
            kernel.MS_NOSUID | kernel.MS_NODEV,
            f"size={scratch_bytes},nr_inodes={inodes},mode=755",
        )
        for name, mode, target in (
            ("box", 0o700, WORKDIR),
            ("tmp", 0o1777, "/tmp"),  # noqa: S108, a cell's own
            ("shm", 0o1777, "/dev/shm"),  # noqa: S108
        ):
            directory = f"{_SCRATCH}/{name}"
            os.mkdir(directory)
            os.chmod(directory, mode)
            os.chown(directory, uid, uid)
            kernel.mount(directory, _ROOT + target, flags=kernel.MS_BIND)
        exit_reader = _make_exit_fifo()
        if trust:
            _show_certificates()
        if volumes:
            _mount_volumes(volumes)
        self._mount_proc(f"{_ROOT}/proc")
        kernel.become_root(_ROOT)
        for path in hidden:
            _cover(path)
        os.chdir(WORKDIR)
        return exit_reader, os.open(WORKDIR, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _mount_proc(self, target: str) -> None:
        """A fresh /proc of our PID namespace; hidepid hides init, which has another uid."""
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        kernel.mount("proc", target, "proc", flags, "hidepid=2")
        for cover, path in self._masks:
            kernel.mount(cover, target + path, flags=kernel.MS_BIND)
        read_only = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY
        kernel.mount("proc", target, flags=read_only | flags)


def report_success() -> None:
    """Tell the core that the program has ended with code 0, ahead of the kernel.

    Tearing a process's memory down takes longer than a small program runs, and its parent
    learns of the end only afterwards. A program that writes here itself ends its own run; one
    that spoils the FIFO, or fails, is reported by its parent, the forge.
    """
    try:
        os.write(os.open(_EXIT_FIFO, os.O_WRONLY | os.O_NONBLOCK), b"0")
    except OSError:
        return


def _make_exit_fifo() -> int:
    """Root's, so that the program may write to it but not read it, move it or change its mode."""
    directory = _SCRATCH + os.path.dirname(_EXIT_FIFO)
    os.mkdir(directory, 0o755)
    path = _SCRATCH + _EXIT_FIFO
    os.mkfifo(path)
    os.chmod(path, 0o622)  # noqa: S103, writable by the program is the point
    kernel.mount(directory, _ROOT + os.path.dirname(_EXIT_FIFO), flags=kernel.MS_BIND)
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _show_certificates() -> None:
    """At a path of our own, and where many clients look of themselves, if the image has that."""
    os.mkdir(_SCRATCH + TRUST, 0o755)
    kernel.bind(TRUST, _ROOT + TRUST, _READ_ONLY | kernel.MS_NOEXEC)
    if os.path.isfile(_ROOT + _SYSTEM_BUNDLE) and not os.path.islink(_ROOT + _SYSTEM_BUNDLE):
        kernel.bind(BUNDLE, _ROOT + _SYSTEM_BUNDLE, _READ_ONLY | kernel.MS_NOEXEC)


def _mount_volumes(names: list[str]) -> None:
    """Each below /volumes, in a small tree of our own that is closed afterwards.

    Not noexec, unless it was so on the host: what may be read may be copied and executed.
    """
    own = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("tmpfs", _ROOT + VOLUMES, "tmpfs", own, "size=64k,mode=755")
    for name in names:
        source, target = f"{VOLUMES_KEPT}/{name}", f"{_ROOT}{VOLUMES}/{name}"
        os.makedirs(target, 0o755)
        # What a mount of the host's forbids may not be allowed again (mount_namespaces(7)).
        kept = kernel.MS_NOEXEC if os.statvfs(source).f_flag & os.ST_NOEXEC else 0
        kernel.bind(source, target, _READ_ONLY | kept)
    kernel.mount("tmpfs", _ROOT + VOLUMES, flags=kernel.MS_REMOUNT | own | kernel.MS_RDONLY)


def _cover(path: str) -> None:
    """Hide a path of the image, or what it leads to, with an empty directory or with nothing.

    By now / is the cell's own: no link leads out of it, and nothing in it can change but for
    scratch directories that are empty still.
    """
    try:
        is_directory = stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return  # this image has none
    if is_directory:
        flags = _READ_ONLY | kernel.MS_NOEXEC
        kernel.mount("tmpfs", path, "tmpfs", flags, "size=4k,mode=555")
    else:
        kernel.bind("/dev/null", path, _READ_ONLY & ~kernel.MS_NODEV | kernel.MS_NOEXEC)


def _make_devices() -> None:
    kernel.mount(
        "tmpfs", _DEVICES, "tmpfs", kernel.MS_NOSUID | kernel.MS_NOEXEC, "size=64k,mode=755"
    )
    for node in _DEVICE_NODES:
        os.close(os.open(f"{_DEVICES}/{node}", os.O_CREAT | os.O_WRONLY, 0o644))
        kernel.bind(f"/dev/{node}", f"{_DEVICES}/{node}")
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, f"{_DEVICES}/{name}")
    os.mkdir(f"{_DEVICES}/shm")
    read_only = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NOEXEC
    kernel.mount("tmpfs", _DEVICES, flags=kernel.MS_REMOUNT | read_only)
    kernel.mount(_DEVICES, f"{_ROOT}/dev", flags=kernel.MS_BIND | kernel.MS_REC)


def _mask(path: str) -> tuple[str, str]:
    """What to mount over a file of /proc, and its path below /proc's mount point."""
    return _EMPTY if os.path.isdir(path) else "/dev/null", path[len("/proc") :]


def _anybody_may_read(path: str) -> bool:
    return os.path.exists(path) and bool(os.stat(path).st_mode & stat.S_IROTH)
