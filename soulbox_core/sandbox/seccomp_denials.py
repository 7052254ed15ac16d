"""What is denied in every cell, on top of any profile, and why."""

import socket
import termios
from errno import EAFNOSUPPORT, ENOSYS, EPERM, EPROTONOSUPPORT

from soulbox_core.model import Value
from soulbox_core.sandbox.libseccomp import Condition, Op, Rule, errno_action


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
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
"""All others (vsock reaches the hypervisor, ALG and PACKET the kernel's depths) and any
that would load a module are EAFNOSUPPORT."""
NETLINK_ROUTE = 0
"""The netlink protocol that getifaddrs(3) asks; the others are EPROTONOSUPPORT."""
_LAST_PROTOCOL = socket.IPPROTO_UDP
"""IP protocols above it load modules on demand (DCCP, SCTP, UDP-Lite, MPTCP)."""
_LOW_HALF = 0xFFFFFFFF


def denial_rules() -> list[Rule]:
    """What is denied on top of any profile."""
    rules = [
        Rule(name=name, action=errno_action(denial.errno))
        for denial in DENIED
        for name in denial.names
    ]
    return rules + _namespace_rules() + _socket_rules() + _terminal_rules()


def _namespace_rules() -> list[Rule]:
    flags = tuple(NEW_NAMESPACE_FLAGS.values())
    return [
        _deny(name, EPERM, Condition(index=0, op=Op.MASKED_EQ, a=flag, b=flag))
        for name, bits in (("clone", flags), ("unshare", (*flags, CLONE_NEWTIME)))
        for flag in bits
    ]


def _socket_rules() -> list[Rule]:
    """Families and protocols are compared in 64 bits, so that an odd upper half is denied."""

    def argument(index: int, op: Op, value: int) -> Condition:
        return Condition(index=index, op=op, a=value)

    last = max(FAMILIES)
    between = [family for family in range(last) if family not in FAMILIES]
    return [
        _deny("socket", EAFNOSUPPORT, argument(0, Op.GT, last)),
        *(_deny("socket", EAFNOSUPPORT, argument(0, Op.EQ, family)) for family in between),
        *(
            _deny("socket", EPROTONOSUPPORT, argument(0, Op.EQ, family), argument(2, Op.GT, most))
            for family, most in (
                (socket.AF_INET, _LAST_PROTOCOL),
                (socket.AF_INET6, _LAST_PROTOCOL),
                (socket.AF_NETLINK, NETLINK_ROUTE),
            )
        ),
        _deny("socketpair", EAFNOSUPPORT, argument(0, Op.NE, socket.AF_UNIX)),
    ]


def _terminal_rules() -> list[Rule]:
    """TIOCSTI types into, TIOCLINUX pastes into, a terminal shared with somebody outside.

    The kernel takes an ioctl's number as 32 bits: a comparison of 64 could be walked around
    by setting the upper half (CVE-2019-10063).
    """
    return [
        _deny("ioctl", EPERM, Condition(index=1, op=Op.MASKED_EQ, a=_LOW_HALF, b=number))
        for number in (termios.TIOCSTI, termios.TIOCLINUX)
    ]


def _deny(name: str, errno: int, *conditions: Condition) -> Rule:
    return Rule(name=name, action=errno_action(errno), conditions=conditions)
