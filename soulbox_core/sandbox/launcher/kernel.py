"""The kernel calls that Python's standard library lacks (as of 3.9), through libc.

Every function raises OSError on failure. Constants are from the Linux UAPI headers and the
same on every architecture, unlike syscall numbers, of which we use one through libc.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import mmap
import os
import signal
import socket
import struct

_CLONE_VM = 0x00000100
_CLONE_FILES = 0x00000400
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_FILTER_INSTRUCTION_BYTES = 8
_DESCRIPTORS = 1 << 20  # fs.nr_open

_libc = ctypes.CDLL(None, use_errno=True)
# prctl is variadic in C but takes five longs in the kernel; say so once, here.
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
_libc.mount.argtypes = (*[ctypes.c_char_p] * 3, ctypes.c_ulong, ctypes.c_char_p)
_libc.syscall.restype = ctypes.c_long


class _FilterProgram(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    _check(_libc.setns(descriptor, kind), "setns")


class Stacks:
    """Stacks for `clone_sleeper`, used in turn.

    :param memory: is cut into stacks
    """

    def __init__(self, memory: mmap.mmap, stack_bytes: int) -> None:
        self._memory = memory  # kept, or it would be unmapped
        base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        # A stack grows down from its end.
        self._tops = itertools.cycle(range(base + stack_bytes, base + len(memory) + 1, stack_bytes))

    def next(self) -> int:
        return next(self._tops)


def clone_sleeper(namespaces: int, stack_top: int) -> int:
    """Make a child in new namespaces that shares our memory and sleeps in pause(2); its pid.

    glibc's and musl's clone() call a function, given here by libc's own address, on the child's
    stack. Whatever ends the sleep ends the child.
    """
    flags = _CLONE_VM | _CLONE_FILES | namespaces | signal.SIGCHLD
    sleep = ctypes.cast(_libc.pause, ctypes.c_void_p)
    pid = int(_libc.clone(sleep, ctypes.c_void_p(stack_top), flags, None))
    _check(pid, "clone")
    return pid


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode() or None, flags, data.encode() or None
    )
    _check(result, f"mount {target}")


def bind(source: str, target: str, flags: int = 0) -> None:
    """Bind-mount; `flags` such as MS_RDONLY need the second call that the kernel asks for."""
    mount(source, target, flags=MS_BIND)
    if flags:
        mount(source, target, flags=MS_BIND | MS_REMOUNT | flags)


def become_root(directory: str) -> None:
    """Make a mount point the root directory and detach everything that was mounted before.

    pivot_root(".", ".") stacks the old root on the new one, see pivot_root(2), NOTES.
    """
    os.chdir(directory)
    _check(_libc.pivot_root(b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")


def sethostname(name: bytes) -> None:
    _check(_libc.sethostname(name, ctypes.c_size_t(len(name))), "sethostname")


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh22x", b"lo", 0)
        _, flags = struct.unpack_from("16sh", fcntl.ioctl(sock, _SIOCGIFFLAGS, request))
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def _prctl(option: int, *arguments: int) -> int:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return int(_libc.prctl(option, *padded))


def set_dumpable() -> None:
    """Let /proc/self belong to the process again, which a change of uid took away."""
    _check(_prctl(_PR_SET_DUMPABLE, 1), "prctl dumpable")


def set_name(name: str) -> None:
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _check(_prctl(_PR_SET_NAME, ctypes.addressof(buffer)), "prctl name")


def drop_capabilities() -> None:
    """Empty the permitted, effective and inheritable sets."""
    _check(_libc.capset(struct.pack("Ii", _CAPABILITY_VERSION_3, 0), bytes(24)), "capset")


def drop_bounding_set() -> None:
    """Forget every capability for good: no exec can bring one back. Needs CAP_SETPCAP."""
    capability = 0
    while _prctl(_PR_CAPBSET_DROP, capability) == 0:
        capability += 1
    if ctypes.get_errno() != errno.EINVAL:  # EINVAL: the one after the kernel's last
        _check(-1, "prctl bounding set")
    _check(_prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL), "prctl ambient")


def set_no_new_privs() -> None:
    _check(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "prctl no_new_privs")


def install_filter(program: bytes) -> None:
    """Install a seccomp filter, an array of struct sock_filter, for good."""
    length = len(program) // _FILTER_INSTRUCTION_BYTES
    filter_program = _FilterProgram(length, program)
    _check(
        _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filter_program)),
        "prctl seccomp",
    )


def close_all_but(*kept: int) -> None:
    """Close every descriptor from 3 up but these."""
    lowest = 3
    for descriptor in sorted(kept):
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, _DESCRIPTORS)
