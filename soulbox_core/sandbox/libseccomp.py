"""The few calls of libseccomp that turn rules into a seccomp program.

A binding of our own because the one on PyPI (pyseccomp 0.1.2, of 2021) is untyped and raises
RuntimeError when it is imported on a host without the library.
"""

import ctypes
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from soulbox_core.errors import HostError
from soulbox_core.model import Value

LIBRARY = "libseccomp.so.2"
NATIVE = "native"
MAX_INSTRUCTIONS = 4096
"""BPF_MAXINSNS of linux/bpf_common.h; the kernel refuses a longer program."""
INSTRUCTION_BYTES = 8
"""sizeof(struct sock_filter) of linux/filter.h."""

KILL_PROCESS = 0x80000000
KILL_THREAD = 0x00000000
TRAP = 0x00030000
ALLOW = 0x7FFF0000

LOW_HALF = 0xFFFFFFFF
"""The mask of what the kernel reads of an `int` argument."""

_ATTRIBUTE_BAD_ARCH = 2
_ATTRIBUTE_OPTIMIZE = 8
_BINARY_TREE = 2


def errno_action(errno: int) -> int:
    """Make the call fail with this errno; with 0 it returns 0 without being done."""
    return 0x00050000 | errno


class Op(IntEnum):
    """How an argument is compared (enum scmp_compare)."""

    NE = 1
    LT = 2
    LE = 3
    EQ = 4
    GE = 5
    GT = 6
    MASKED_EQ = 7


class Condition(Value, frozen=True):
    """Compares one 64-bit argument with `a`; MASKED_EQ is `argument & a == b`.

    The kernel reads an `int` argument as 32 bits, so only MASKED_EQ with a mask of 32 bits
    sees what the kernel sees; the others also look at the upper half, which a program may set.
    """

    index: int
    op: Op
    a: int
    b: int = 0


class Rule(Value, frozen=True):
    """What happens to a system call whose arguments meet all conditions."""

    name: str
    action: int
    conditions: tuple[Condition, ...] = ()


class _ArgumentComparison(ctypes.Structure):
    """struct scmp_arg_cmp of seccomp.h."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


class Library:
    """libseccomp, for one architecture.

    :param arch: libseccomp's name of it, such as x86_64
    :raises HostError: the library is missing or does not know the architecture
    """

    def __init__(self, arch: str = NATIVE) -> None:
        try:
            self._c = ctypes.CDLL(LIBRARY)
        except OSError:
            raise HostError(f"{LIBRARY} not found; run: apt-get install libseccomp2") from None
        _declare(self._c)
        self._native = self._c.seccomp_arch_native()
        name = arch.encode()
        self._arch = self._native if arch == NATIVE else self._c.seccomp_arch_resolve_name(name)
        if not self._arch:
            raise HostError(f"libseccomp does not know the architecture {arch!r}")

    def number(self, name: str) -> int | None:
        """The call's number; None when this libseccomp or the architecture has no such call."""
        number: int = self._c.seccomp_syscall_resolve_name_arch(self._arch, name.encode())
        return number if number >= 0 else None

    def compile(self, default: int, rules: Iterable[Rule]) -> bytes:
        """Compile rules to an array of struct sock_filter.

        A call of another architecture (on x86-64, of x32 too) kills the process. Rules for
        unknown calls and rules that only repeat the default are left out, as the OCI runtimes do.

        :raises HostError: libseccomp refuses a rule
        """
        with self._context(default) as context:
            for rule in rules:
                if self.number(rule.name) is not None and rule.action != default:
                    self._add(context, rule)
            return self._export(context)

    @contextmanager
    def _context(self, default: int) -> Iterator[ctypes.c_void_p]:
        context = self._c.seccomp_init(default)
        if not context:
            raise HostError("libseccomp: seccomp_init failed")
        try:
            if self._arch != self._native:
                _check("arch_add", self._c.seccomp_arch_add(context, self._arch))
                _check("arch_remove", self._c.seccomp_arch_remove(context, self._native))
            _check("attr_set", self._c.seccomp_attr_set(context, _ATTRIBUTE_BAD_ARCH, KILL_PROCESS))
            # From 2.5; without it the program is longer and does the same.
            self._c.seccomp_attr_set(context, _ATTRIBUTE_OPTIMIZE, _BINARY_TREE)
            yield context
        finally:
            self._c.seccomp_release(context)

    def _add(self, context: ctypes.c_void_p, rule: Rule) -> None:
        # Rules are in the numbers of the machine we are on, whatever they are compiled for.
        number = self._c.seccomp_syscall_resolve_name(rule.name.encode())
        comparisons = (_ArgumentComparison * len(rule.conditions))(
            *(_ArgumentComparison(one.index, one.op, one.a, one.b) for one in rule.conditions)
        )
        status = self._c.seccomp_rule_add_array(
            context, rule.action, number, len(comparisons), comparisons
        )
        _check(f"rule for {rule.name}", status)

    def _export(self, context: ctypes.c_void_p) -> bytes:
        # seccomp_export_bpf_mem would spare the file; it came with 2.6, Debian 12 has 2.5.
        file = os.memfd_create("seccomp", os.MFD_CLOEXEC)
        try:
            _check("export_bpf", self._c.seccomp_export_bpf(context, file))
            return os.pread(file, MAX_INSTRUCTIONS * INSTRUCTION_BYTES * 2, 0)
        finally:
            os.close(file)


def _check(what: str, status: int) -> None:
    if status < 0:
        raise HostError(f"libseccomp: {what}: {os.strerror(-status)}")


def _declare(c: ctypes.CDLL) -> None:
    """Tell ctypes the types that are not int, from seccomp.h."""
    context, u32 = ctypes.c_void_p, ctypes.c_uint32
    c.seccomp_init.restype = context
    c.seccomp_init.argtypes = (u32,)
    c.seccomp_release.restype = None
    c.seccomp_release.argtypes = (context,)
    c.seccomp_arch_native.restype = u32
    c.seccomp_arch_resolve_name.restype = u32
    c.seccomp_arch_resolve_name.argtypes = (ctypes.c_char_p,)
    c.seccomp_arch_add.argtypes = (context, u32)
    c.seccomp_arch_remove.argtypes = (context, u32)
    c.seccomp_attr_set.argtypes = (context, ctypes.c_int, u32)
    c.seccomp_syscall_resolve_name.argtypes = (ctypes.c_char_p,)
    c.seccomp_syscall_resolve_name_arch.argtypes = (u32, ctypes.c_char_p)
    c.seccomp_rule_add_array.argtypes = (
        context,
        u32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_ArgumentComparison),
    )
    c.seccomp_export_bpf.argtypes = (context, ctypes.c_int)
