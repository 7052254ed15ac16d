"""What is denied in every cell, on top of any profile, and why."""

import fcntl
import termios
from errno import EINVAL, ENOSYS, EPERM

from soulbox_core.model import Value
from soulbox_core.sandbox.libseccomp import LOW_HALF, Condition, Op, Rule, errno_action
from soulbox_core.sandbox.seccomp_sockets import socket_rules


class Denial(Value, frozen=True):
    """System calls that fail in every cell, whatever their arguments."""

    names: tuple[str, ...]
    reason: str
    errno: int = EPERM
    """What they fail with; with 0 they return 0 and do nothing."""


DENIED = (
    Denial(
        names=("clone3",),
        reason="its flags are in memory, which a filter cannot read; libc falls back to clone",
        errno=ENOSYS,
    ),
    Denial(names=("setns",), reason="enters another namespace"),
    Denial(
        names=("io_uring_setup", "io_uring_enter", "io_uring_register"),
        reason="does what other calls do past this filter, and has been the kernel's weakest spot",
        errno=ENOSYS,
    ),
    Denial(
        names=("io_setup",),
        reason="fs.aio-max-nr is one count for the whole host: a program could take all of it",
        errno=ENOSYS,
    ),
    Denial(names=("bpf",), reason="loads programs into the kernel"),
    Denial(names=("perf_event_open",), reason="measures other work on the host; large, often hit"),
    Denial(
        names=("keyctl", "add_key", "request_key"),
        reason="key rings are not namespaced by cell, and outlive it",
    ),
    Denial(
        names=("userfaultfd",),
        reason="halts the kernel inside a copy, which makes its races easy to win",
    ),
    Denial(
        names=("vmsplice",),
        reason="lends user pages to a pipe, behind several page life-time faults",
    ),
    Denial(
        names=("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp"),
        reason="reads or steers another process",
    ),
    Denial(names=("pidfd_getfd",), reason="takes a descriptor out of another process"),
    Denial(
        names=("mount", "umount", "umount2", "pivot_root", "chroot", "mount_setattr", "move_mount"),
        reason="changes the tree of mounts",
    ),
    Denial(
        names=("fsopen", "fsconfig", "fsmount", "fspick", "open_tree", "open_tree_attr"),
        reason="changes the tree of mounts, by the newer calls",
    ),
    Denial(
        names=("statmount", "listmount", "listns"),
        reason="shows mounts and namespaces outside the cell's own",
        errno=ENOSYS,
    ),
    Denial(
        names=("name_to_handle_at", "open_by_handle_at"),
        reason="opens files by inode, past the directories above them",
    ),
    Denial(
        names=("fanotify_init", "fanotify_mark"), reason="watches, or halts, others' file accesses"
    ),
    Denial(
        names=("inotify_init", "inotify_init1", "inotify_add_watch"),
        reason="all cells of a container share the image's inodes: shows which files others open",
        errno=ENOSYS,
    ),
    Denial(
        names=("seccomp",),
        reason="filters are compiled into memory of which the whole host has bpf_jit_limit bytes",
        errno=ENOSYS,
    ),
    Denial(names=("quotactl", "quotactl_fd"), reason="administers disks"),
    Denial(
        names=("sync", "syncfs"),
        reason="flushes disks of the host, in a loop a denial of service; a cell has none to flush",
        errno=0,
    ),
    Denial(names=("swapon", "swapoff"), reason="administers swap"),
    Denial(names=("reboot", "kexec_load", "kexec_file_load"), reason="replaces the kernel"),
    Denial(
        names=("init_module", "finit_module", "delete_module"), reason="changes the kernel's code"
    ),
    Denial(names=("acct", "syslog"), reason="administers or reads the kernel's logs"),
    Denial(names=("sethostname", "setdomainname"), reason="renames the machine"),
    Denial(
        names=("settimeofday", "clock_settime", "clock_settime64", "stime"), reason="sets the clock"
    ),
    Denial(names=("ioperm", "iopl"), reason="talks to hardware"),
    Denial(
        names=("modify_ldt",),
        reason="16-bit segments: code that nothing here needs and that had faults",
        errno=ENOSYS,
    ),
    Denial(names=("move_pages", "migrate_pages"), reason="moves another process's memory about"),
    Denial(
        names=("memfd_secret",),
        reason="splits the kernel's map of memory in small pages, which slows the host",
        errno=ENOSYS,
    ),
    Denial(names=("lookup_dcookie", "uselib"), reason="obsolete", errno=ENOSYS),
)

NEW_NAMESPACE_FLAGS = {
    "CLONE_NEWNS": 0x00020000,
    "CLONE_NEWCGROUP": 0x02000000,
    "CLONE_NEWUTS": 0x04000000,
    "CLONE_NEWIPC": 0x08000000,
    "CLONE_NEWUSER": 0x10000000,
    "CLONE_NEWPID": 0x20000000,
    "CLONE_NEWNET": 0x40000000,
}
"""linux/sched.h. A new user namespace gives every capability in it, and with them most of the
kernel's code to attack; the others are denied so that no mistake with capabilities opens them."""
CLONE_NEWTIME = 0x00000080
"""Of unshare alone: in clone's flags these bits are the exit signal."""


class ArgumentDenial(Value, frozen=True):
    """A system call that fails when an argument has a value, compared in 32 bits.

    The kernel takes these arguments as 32 bits: a comparison of 64 could be walked around by
    setting the upper half (CVE-2019-10063).
    """

    name: str
    index: int
    value: int
    reason: str
    errno: int = EPERM


DENIED_ARGUMENTS = (
    ArgumentDenial(
        name="ioctl",
        index=1,
        value=termios.TIOCSTI,
        reason="types into a terminal shared with somebody outside",
    ),
    ArgumentDenial(
        name="ioctl",
        index=1,
        value=termios.TIOCLINUX,
        reason="pastes into a terminal shared with somebody outside",
    ),
    ArgumentDenial(
        name="fcntl",
        index=1,
        value=fcntl.F_NOTIFY,
        reason="as inotify, by its older name",
        errno=EINVAL,  # as a kernel without dnotify
    ),
    ArgumentDenial(
        name="prctl",
        index=0,
        value=22,  # PR_SET_SECCOMP of linux/prctl.h
        reason="as seccomp, by its older name",
        errno=EINVAL,  # as a kernel without seccomp
    ),
)


def denial_rules() -> list[Rule]:
    """What is denied on top of any profile."""
    rules = [
        Rule(name=name, action=errno_action(denial.errno))
        for denial in DENIED
        for name in denial.names
    ]
    return rules + _namespace_rules() + _argument_rules() + socket_rules()


def _namespace_rules() -> list[Rule]:
    flags = tuple(NEW_NAMESPACE_FLAGS.values())
    return [
        _deny(name, EPERM, Condition(index=0, op=Op.MASKED_EQ, a=flag, b=flag))
        for name, bits in (("clone", flags), ("unshare", (*flags, CLONE_NEWTIME)))
        for flag in bits
    ]


def _argument_rules() -> list[Rule]:
    return [
        _deny(
            denial.name,
            denial.errno,
            Condition(index=denial.index, op=Op.MASKED_EQ, a=LOW_HALF, b=denial.value),
        )
        for denial in DENIED_ARGUMENTS
    ]


def _deny(name: str, errno: int, *conditions: Condition) -> Rule:
    return Rule(name=name, action=errno_action(errno), conditions=conditions)
