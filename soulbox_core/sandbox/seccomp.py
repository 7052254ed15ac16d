"""The seccomp program of a cell: which system calls its processes may make.

It is three filters in one program, each of which hands what it does not deny to the next. The
first denies what has no place in a run, whatever the profile says; the second, of setsockopt
alone, whatever no list names; the third is the profile that containers-common maintains,
resolved for a process without capabilities. All are compiled by libseccomp for the machine's
own architecture; a call of any other (32-bit, x32) kills the process.

A denied call fails with EPERM, or with ENOSYS where libraries take that as "this kernel has
not got it" and do it another way. A call that no filter knows fails as the profile says
(ENOSYS), so a new kernel's calls stay shut until somebody names them.
"""

import os
import platform
import re
import struct
from pathlib import Path

from soulbox_core.errors import HostError
from soulbox_core.sandbox.libseccomp import (
    ALLOW,
    INSTRUCTION_BYTES,
    MAX_INSTRUCTIONS,
    Library,
)
from soulbox_core.sandbox.seccomp_denials import denial_rules
from soulbox_core.sandbox.seccomp_profile import find, read, resolve
from soulbox_core.sandbox.seccomp_sockets import NOT_AN_OPTION, option_rules

_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}
"""uname's (and libseccomp's) name of an architecture, to the one that profiles use."""

_LOAD, _JUMP, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x05, 0x15, 0x06
"""BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JA, BPF_JMP | BPF_JEQ | BPF_K and BPF_RET | BPF_K of
linux/bpf_common.h."""
_NUMBER_AT = 0
"""Offset of the call's number in struct seccomp_data of linux/seccomp.h."""
_INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter: code, jump if true, jump if false, k."""


def compile_filter(profile: Path | None, machine: str = "") -> bytes:
    """Compile the program that the launcher installs with prctl(PR_SET_SECCOMP) in every cell.

    The same profile, kernel and libseccomp give the same bytes.

    :param profile: containers-common's profile; None looks where Podman does
    :param machine: architecture as uname writes it; empty is this machine's
    :return: an array of struct sock_filter
    :raises HostError: the profile or libseccomp is missing or not usable, saying what to do
    """
    machine = machine or platform.machine()
    if machine not in _GO_NAMES:
        raise HostError(f"no cells on {machine}; known: {', '.join(_GO_NAMES)}")
    library = Library(machine)
    denials = library.compile(ALLOW, denial_rules())
    default, rules = resolve(read(find(profile)), _GO_NAMES[machine], _kernel(os.uname().release))
    program = _in_turn(denials, _in_turn(_options(library), library.compile(default, rules)))
    if len(program) > MAX_INSTRUCTIONS * INSTRUCTION_BYTES:
        length = len(program) // INSTRUCTION_BYTES
        raise HostError(f"seccomp program of {length} instructions; at most {MAX_INSTRUCTIONS}")
    return program


def _options(library: Library) -> bytes:
    """A program that decides about setsockopt and allows every other call."""
    number = library.number("setsockopt")
    if number is None:
        raise HostError("libseccomp does not know setsockopt")
    others = ((_LOAD, 0, 0, _NUMBER_AT), (_JUMP_IF_EQUAL, 1, 0, number), (_RETURN, 0, 0, ALLOW))
    head = b"".join(_INSTRUCTION.pack(*one) for one in others)
    return head + library.compile(NOT_AN_OPTION, option_rules())


def _in_turn(first: bytes, second: bytes) -> bytes:
    """One program: where the first would allow a call, it asks the second."""
    length = len(first) // INSTRUCTION_BYTES
    joined = bytearray(first)
    for index, (code, _, _, k) in enumerate(_INSTRUCTION.iter_unpack(first)):
        if (code, k) == (_RETURN, ALLOW):
            jump = (_JUMP, 0, 0, length - index - 1)
            _INSTRUCTION.pack_into(joined, index * INSTRUCTION_BYTES, *jump)
    return bytes(joined) + second


def _kernel(release: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", release)
    if not found:
        raise HostError(f"cannot read a kernel version out of {release!r}")
    return int(found[1]), int(found[2])
