"""The filter is tried twice: for real in a child that installs it, and on a small interpreter
of its instructions, which also reaches the architectures and numbers this machine has not got.
"""

import errno
import fcntl
import importlib.util
import json
import platform
import signal
import socket
import struct
import subprocess
import sys
import termios
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from soulbox_core.errors import HostError
from soulbox_core.sandbox.libseccomp import (
    ALLOW,
    KILL_PROCESS,
    MAX_INSTRUCTIONS,
    Library,
    errno_action,
)
from soulbox_core.sandbox.seccomp import compile_filter
from soulbox_core.sandbox.seccomp_denials import CLONE_NEWTIME, DENIED, NEW_NAMESPACE_FLAGS
from soulbox_core.sandbox.seccomp_sockets import ALLOWED_OPTIONS, IGNORED_OPTIONS, NOT_AN_OPTION

AUDIT_ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* of linux/audit.h."""
AUDIT_ARCH_I386 = 0x40000003
X32_BIT = 0x40000000
ODD_UPPER_HALF = 1 << 32
MOST = 2**64 - 1
EPERM = errno_action(errno.EPERM)
ENOSYS = errno_action(errno.ENOSYS)
NO_FAMILY = errno_action(errno.EAFNOSUPPORT)
NO_PROTOCOL = errno_action(errno.EPROTONOSUPPORT)
EINVAL = errno_action(errno.EINVAL)
NOT_SUPPORTED = errno_action(errno.EOPNOTSUPP)
DONE_NOTHING = errno_action(0)
PR_SET_SECCOMP = 22
STREAM = int(socket.SOCK_STREAM)
DATAGRAM = int(socket.SOCK_DGRAM)

DENIED_CALLS = [
    (name, denial.errno)
    for denial in DENIED
    for name in denial.names
    if Library().number(name) is not None
]
"""Those that this libseccomp and this machine have; the filter cannot name the others."""

OPTIONS = [
    *(
        (level, number, ALLOW)
        for level, options in ALLOWED_OPTIONS.items()
        for number in options.values()
    ),
    *((one.level, one.number, DONE_NOTHING) for one in IGNORED_OPTIONS),
    (socket.SOL_SOCKET, 26, NOT_AN_OPTION),  # SO_ATTACH_FILTER
    (socket.SOL_SOCKET, 27, NOT_AN_OPTION),  # SO_DETACH_FILTER
    (socket.SOL_SOCKET, 50, NOT_AN_OPTION),  # SO_ATTACH_BPF
    (socket.SOL_SOCKET, 51, NOT_AN_OPTION),  # SO_ATTACH_REUSEPORT_CBPF
    (socket.SOL_SOCKET, 52, NOT_AN_OPTION),  # SO_ATTACH_REUSEPORT_EBPF
    (socket.SOL_SOCKET, 37, NOT_AN_OPTION),  # SO_TIMESTAMPING_OLD
    (socket.SOL_SOCKET, 65, NOT_AN_OPTION),  # SO_TIMESTAMPING_NEW
    (socket.SOL_SOCKET, 60, NOT_AN_OPTION),  # SO_ZEROCOPY
    (socket.SOL_SOCKET, 61, NOT_AN_OPTION),  # SO_TXTIME
    (socket.SOL_SOCKET, 18, NOT_AN_OPTION),  # SO_RCVLOWAT
    (socket.SOL_SOCKET, 32, NOT_AN_OPTION),  # SO_SNDBUFFORCE
    (socket.SOL_SOCKET, 33, NOT_AN_OPTION),  # SO_RCVBUFFORCE
    (socket.SOL_SOCKET, 73, NOT_AN_OPTION),  # SO_RESERVE_MEM
    (socket.SOL_SOCKET, 0xFFFFFFFF, NOT_AN_OPTION),
    (socket.IPPROTO_TCP, 31, NOT_AN_OPTION),  # TCP_ULP
    (socket.IPPROTO_IP, 35, NOT_AN_OPTION),  # IP_ADD_MEMBERSHIP
    (socket.IPPROTO_IP, 41, NOT_AN_OPTION),  # IP_MSFILTER
    (socket.IPPROTO_IP, 64, NOT_AN_OPTION),  # IPT_SO_SET_REPLACE
    (socket.IPPROTO_IPV6, 20, NOT_AN_OPTION),  # IPV6_JOIN_GROUP
    (socket.IPPROTO_IPV6, 32, NOT_AN_OPTION),  # IPV6_FLOWLABEL_MGR
    (socket.IPPROTO_IPV6, 54, NOT_AN_OPTION),  # IPV6_HOPOPTS
    (socket.IPPROTO_UDP, 1, NOT_AN_OPTION),  # UDP_CORK
    (socket.IPPROTO_UDP, 100, NOT_AN_OPTION),  # UDP_ENCAP
    (270, 1, NOT_AN_OPTION),  # SOL_NETLINK
    (0xFFFFFFFF, 2, NOT_AN_OPTION),
]
"""level, option, verdict"""

BY_ARGUMENT = [
    *(("clone", (flag | signal.SIGCHLD,), EPERM) for flag in NEW_NAMESPACE_FLAGS.values()),
    ("clone", (NEW_NAMESPACE_FLAGS["CLONE_NEWUSER"] | ODD_UPPER_HALF,), EPERM),
    ("clone", (signal.SIGCHLD,), ALLOW),
    ("clone", (0x003D0F00,), ALLOW),  # what pthread_create passes
    *(("unshare", (flag,), EPERM) for flag in NEW_NAMESPACE_FLAGS.values()),
    ("unshare", (CLONE_NEWTIME,), EPERM),
    ("unshare", (0x00000400,), ALLOW),  # CLONE_FILES: only the caller's own table
    ("socket", (socket.AF_UNIX, STREAM, 0), ALLOW),
    ("socket", (socket.AF_UNIX, socket.SOCK_SEQPACKET, 0), ALLOW),
    *(
        ("socket", (family, kind, protocol), ALLOW)
        for family in (socket.AF_INET, socket.AF_INET6)
        for kind, protocol in (
            (STREAM, 0),
            (DATAGRAM, 0),
            (STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP),
            (DATAGRAM, socket.IPPROTO_UDP),
        )
    ),
    *(
        ("socket", (family, STREAM, protocol), NO_PROTOCOL)
        for family in (socket.AF_INET, socket.AF_INET6)
        for protocol in (33, socket.IPPROTO_SCTP, 136, 262, 255, 0xFFFFFFFF, ODD_UPPER_HALF)
    ),
    *(
        ("socket", (family, STREAM, 0), NO_FAMILY)
        for family in range(64)
        if family not in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
    ),
    *(
        ("socket", (socket.AF_NETLINK, socket.SOCK_RAW, protocol), NO_FAMILY)
        for protocol in (0, 4, 9, 15, 16, ODD_UPPER_HALF)
    ),
    *(
        ("socket", (family | ODD_UPPER_HALF, STREAM, 0), NO_FAMILY)
        for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_VSOCK, socket.AF_ALG)
    ),
    ("socketpair", (socket.AF_UNIX, STREAM, 0, MOST), ALLOW),
    ("socketpair", (30, socket.SOCK_SEQPACKET, 0, MOST), NO_FAMILY),  # AF_TIPC has it too
    *(
        ("ioctl", (MOST, upper | number, 0), EPERM)
        for number in (termios.TIOCSTI, termios.TIOCLINUX)
        for upper in (0, ODD_UPPER_HALF, 0xFFFFFFFF << 32)
    ),
    *(
        ("ioctl", (MOST, number, 0), ALLOW)
        for number in (termios.FIONREAD, termios.TIOCGWINSZ, 0x80086601, 0xFFFFFFFF80086601)
    ),
    *(
        (name, (MOST, 0, *(0,) * (at - 2), bits), verdict)
        for name, at in (("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3))
        for bits, verdict in (
            (socket.MSG_MORE, NOT_SUPPORTED),
            (socket.MSG_MORE | socket.MSG_DONTWAIT | ODD_UPPER_HALF, NOT_SUPPORTED),
            (socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, ALLOW),
        )
    ),
    *(
        ("setsockopt", (MOST, level | upper, number | upper, 0, 0), verdict)
        for level, number, verdict in OPTIONS
        for upper in (0, ODD_UPPER_HALF, 0xFFFFFFFF << 32)
    ),
    ("fcntl", (MOST, fcntl.F_NOTIFY), EINVAL),
    ("fcntl", (MOST, fcntl.F_NOTIFY | ODD_UPPER_HALF), EINVAL),
    ("fcntl", (MOST, fcntl.F_SETLK), ALLOW),
    ("prctl", (PR_SET_SECCOMP, 2, 0), EINVAL),
    ("prctl", (PR_SET_SECCOMP | ODD_UPPER_HALF, 1), EINVAL),
    ("prctl", (21,), ALLOW),  # PR_GET_SECCOMP
    ("personality", (0,), ALLOW),
    ("personality", (0xFFFFFFFF,), ALLOW),
    ("personality", (0x00400000,), ENOSYS),  # READ_IMPLIES_EXEC
]

# fmt: off
NEEDED = [
    # libc, threads and memory, of CPython, Node, Go, Rust and the JVM
    "read", "write", "openat", "newfstatat", "statx", "mmap", "mprotect", "munmap", "brk",
    "madvise", "mremap", "mlock", "clone", "execve", "execveat", "exit", "exit_group", "wait4",
    "waitid", "futex", "set_robust_list", "rseq", "membarrier", "prctl", "prlimit64",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill", "kill",
    "getrandom", "get_mempolicy", "sched_getaffinity", "sched_setaffinity", "sched_yield",
    "sched_getscheduler", "sched_get_priority_max", "getcpu", "clock_gettime",
    "clock_nanosleep", "nanosleep", "timer_create", "timer_settime", "timerfd_create",
    "memfd_create", "ftruncate", "fallocate", "copy_file_range", "splice", "tee", "sendfile",
    "pipe2", "dup3", "close_range", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "eventfd2", "signalfd4", "pidfd_open", "pidfd_send_signal", "sysinfo",
    "uname", "getdents64", "renameat2", "unlinkat", "faccessat2", "fsync", "shmget", "shmat",
    "mq_open", "semget", "setpgid", "setsid", "setpriority", "pkey_alloc", "io_destroy",
    "accept4", "bind", "listen", "connect", "getsockname", "sendmsg", "recvmsg",
    "sendto", "sendmmsg", "recvmmsg", "shutdown", "getsockopt", "fcntl",
    # a program may put itself behind more walls
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
]
# fmt: on


def decide(program: bytes, arch: int, number: int, arguments: Sequence[int] = ()) -> int:
    """Run a seccomp program as the kernel does (the subset that libseccomp writes)."""
    data = struct.pack("<iIQ6Q", number, arch, 0, *arguments, *(0,) * (6 - len(arguments)))
    instructions = list(struct.iter_unpack("=HBBI", program))
    jumps: dict[int, Callable[[int, int], bool]] = {
        0x15: lambda a, k: a == k,
        0x25: lambda a, k: a > k,
        0x35: lambda a, k: a >= k,
        0x45: lambda a, k: bool(a & k),
    }
    accumulator = at = 0
    while True:
        code, if_true, if_false, k = instructions[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == 0x54:
            accumulator &= k
        elif code == 0x05:
            at += k
        elif code == 0x06:
            return int(k)
        else:
            at += if_true if jumps[code](accumulator, k) else if_false


@pytest.fixture(scope="module", params=sorted(AUDIT_ARCHES))
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def verdict(machine: str) -> Callable[..., int]:
    program, library = compile_filter(None, machine), Library(machine)

    def of(name: str, *arguments: int) -> int:
        number = library.number(name)
        assert number is not None, name
        return decide(program, AUDIT_ARCHES[machine], number, arguments)

    return of


def test_program_is_within_the_kernels_bound_and_always_the_same(machine: str) -> None:
    program = compile_filter(None, machine)
    print(f"{machine}: {len(program) // 8} instructions")
    assert 0 < len(program) <= MAX_INSTRUCTIONS * 8
    assert program == compile_filter(None, machine)


def test_deny_list_holds_for_any_arguments(machine: str, verdict: Callable[..., int]) -> None:
    library = Library(machine)
    names = [(n, d.errno) for d in DENIED for n in d.names if library.number(n) is not None]
    assert len(names) >= 50
    wrong = [
        name
        for name, code in names
        for arguments in ((), (MOST,) * 6)
        if verdict(name, *arguments) != errno_action(code)
    ]
    assert wrong == []


def test_arguments_decide(verdict: Callable[..., int]) -> None:
    wrong = [row for row in BY_ARGUMENT if verdict(row[0], *row[1]) != row[2]]
    assert wrong == []


def test_runtimes_get_the_calls_they_need(verdict: Callable[..., int]) -> None:
    assert [name for name in NEEDED if verdict(name) != ALLOW] == []


def test_options_have_the_numbers_of_their_names() -> None:
    named = [
        *(pair for options in ALLOWED_OPTIONS.values() for pair in options.items()),
        *((one.name, one.number) for one in IGNORED_OPTIONS),
    ]
    known = [(name, number) for name, number in named if hasattr(socket, name)]
    assert len(known) >= 40
    assert [(name, number) for name, number in known if getattr(socket, name) != number] == []


def test_no_option_is_both_allowed_and_ignored() -> None:
    allowed = {(level, n) for level, options in ALLOWED_OPTIONS.items() for n in options.values()}
    assert not allowed & {(one.level, one.number) for one in IGNORED_OPTIONS}


def test_numbers_that_nobody_named_fail(machine: str) -> None:
    program = compile_filter(None, machine)
    arch = AUDIT_ARCHES[machine]
    assert {decide(program, arch, number) for number in range(700, 800)} == {ENOSYS}


@pytest.mark.parametrize("number", [0, 20, 120, 310])
def test_other_architectures_are_killed(machine: str, number: int) -> None:
    program = compile_filter(None, machine)
    others = {AUDIT_ARCH_I386, *AUDIT_ARCHES.values()} - {AUDIT_ARCHES[machine]}
    assert {decide(program, arch, number) for arch in others} == {KILL_PROCESS}


def test_x32_is_killed() -> None:
    program = compile_filter(None, "x86_64")
    verdicts = {decide(program, AUDIT_ARCHES["x86_64"], X32_BIT | n) for n in (0, 1, 59, 512)}
    assert verdicts == {KILL_PROCESS}


ESCAPES = [
    *("setns", "io_uring_setup", "io_uring_enter", "bpf", "perf_event_open", "keyctl", "add_key"),
    *("request_key", "userfaultfd", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp"),
    *("pidfd_getfd", "mount", "umount2", "pivot_root", "chroot", "fsopen", "open_tree", "clone3"),
    *("move_mount", "mount_setattr", "open_by_handle_at", "init_module", "finit_module", "reboot"),
    *("kexec_load", "swapon", "acct", "syslog", "fanotify_init", "sethostname", "vmsplice"),
]


def test_no_profile_opens_what_the_deny_list_shuts(tmp_path: Path) -> None:
    profile = tmp_path / "open.json"
    call = {"names": [*ESCAPES, "getpid"], "action": "SCMP_ACT_ALLOW"}
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [call]}))
    program, library = compile_filter(profile), Library()

    def verdict(name: str) -> int:
        number = library.number(name)
        assert number is not None, name
        return decide(program, AUDIT_ARCHES[platform.machine()], number)

    assert verdict("getpid") == ALLOW
    assert verdict("getppid") == EPERM
    assert [name for name in ESCAPES if verdict(name) not in (EPERM, ENOSYS)] == []


# For real, in a child.

Completed = subprocess.CompletedProcess[str]

INSTALL = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
def install(program):
    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    filter = Program(len(program) // 8, program)
    assert libc.prctl(22, 2, ctypes.byref(filter), 0, 0) == 0  # PR_SET_SECCOMP, MODE_FILTER
install(open(sys.argv[1], "rb").read())
assert "Seccomp:\\t2" in open("/proc/self/status").read()
"""

CALL = """
import json, os
for number, arguments in json.load(sys.stdin):
    ctypes.set_errno(0)
    words = [ctypes.c_ulong(one) for one in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result == 0 and os.getpid() != parent:
        os._exit(0)  # the child of a clone
    print(json.dumps([result, ctypes.get_errno()]))
"""


@pytest.fixture(scope="module")
def run_filtered(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Completed]:
    program = tmp_path_factory.mktemp("seccomp") / "program"
    program.write_bytes(compile_filter(None))

    def run(code: str, stdin: str = "") -> Completed:
        argv = [sys.executable, "-c", INSTALL + code, str(program)]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=30)

    return run


@pytest.fixture(scope="module")
def errno_of(run_filtered: Callable[..., Completed]) -> Callable[..., list[int]]:
    def of(calls: Sequence[tuple[str, Sequence[int]]]) -> list[int]:
        library = Library()
        numbered = [(library.number(name), list(arguments)) for name, arguments in calls]
        done = run_filtered("import os; parent = os.getpid()\n" + CALL, json.dumps(numbered))
        assert done.returncode == 0, done.stderr
        return [json.loads(line)[1] for line in done.stdout.splitlines()]

    return of


def test_kernel_denies_what_is_on_the_list(errno_of: Callable[..., list[int]]) -> None:
    # -1 throughout, so that a call that slips through does no harm and fails in another way
    answers = errno_of([(name, (MOST,) * 6) for name, _ in DENIED_CALLS])
    expected = [code for _, code in DENIED_CALLS]
    assert dict(zip(DENIED_CALLS, answers, strict=True)) == dict(
        zip(DENIED_CALLS, expected, strict=True)
    )


def test_kernel_decides_by_argument(errno_of: Callable[..., list[int]]) -> None:
    denied = [row for row in BY_ARGUMENT if row[2] != ALLOW]
    answers = errno_of([(name, arguments) for name, arguments, _ in denied])
    wrong = [
        (row, answer)
        for row, answer in zip(denied, answers, strict=True)
        if errno_action(answer) != row[2]
    ]
    assert wrong == []


ORDINARY = {
    "threads": """
        import threading
        out = []
        threads = [threading.Thread(target=out.append, args=(n,)) for n in range(20)]
        for one in threads: one.start()
        for one in threads: one.join()
        assert sorted(out) == list(range(20))
        """,
    "fork": """
        import os
        child = os.fork()
        if child == 0: os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        """,
    "subprocess": """
        import subprocess
        assert subprocess.run(["cat"], input=b"x", capture_output=True).stdout == b"x"
        """,
    "posix_spawn": """
        import os
        child = os.posix_spawn("/bin/true", ["true"], {})
        assert os.waitpid(child, 0)[1] == 0
        """,
    "process pool": """
        import multiprocessing
        for method in ("fork", "spawn", "forkserver"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                assert pool.map(abs, [-1, -2, -3]) == [1, 2, 3]
        """,
    "shared memory": """
        from multiprocessing import shared_memory
        memory = shared_memory.SharedMemory(create=True, size=100)
        memory.buf[0] = 1
        memory.close()
        memory.unlink()
        """,
    "tcp and udp": """
        import socket
        for family, host in ((socket.AF_INET, "127.0.0.1"),):
            server = socket.create_server((host, 0), family=family)
            client = socket.create_connection(server.getsockname()[:2])
            accepted, _ = server.accept()
            client.sendall(b"x")
            assert accepted.recv(1) == b"x"
            socket.socket(family, socket.SOCK_DGRAM).bind((host, 0))
        assert socket.getaddrinfo("127.0.0.1", 80)
        """,
    "unix sockets": """
        import os, socket, tempfile
        left, right = socket.socketpair()
        read, write = os.pipe()
        socket.send_fds(left, [b"x"], [write])
        data, descriptors, _, _ = socket.recv_fds(right, 1, 1)
        os.write(descriptors[0], b"y")
        assert os.read(read, 1) == b"y"
        with tempfile.TemporaryDirectory() as directory:
            socket.socket(socket.AF_UNIX).bind(directory + "/socket")
        """,
    "the kernel's answer without netlink": """
        import errno, socket
        try: socket.if_nameindex()
        except OSError as error: assert error.errno == errno.EAFNOSUPPORT
        else: raise AssertionError
        assert socket.if_nametoindex("lo") == 1
        for flags in (0, socket.AI_ADDRCONFIG, socket.AI_PASSIVE):
            assert socket.getaddrinfo("localhost", 80, flags=flags)
            assert socket.getaddrinfo("::1", 80, flags=flags)
        """,
    "socket options": """
        import socket
        left, right = socket.socketpair()
        for end in (left, socket.socket(), socket.socket(socket.AF_INET6)):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 16384
            before = end.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 10 * before)
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == before
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.setsockopt(socket.IPPROTO_IP, 11, 1)
        assert datagrams.getsockopt(socket.IPPROTO_IP, 11) == 0
        datagrams.connect(("127.0.0.1", 1))
        datagrams.send(b"x")
        try: datagrams.recv(1)
        except ConnectionRefusedError: pass
        else: raise AssertionError
        """,
    "a web server": """
        import http.server, threading, urllib.request
        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * 1_000_000)
            def log_message(self, *_): pass
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/"
            assert len(urllib.request.urlopen(url).read()) == 1_000_000
            server.shutdown()
        """,
    "asyncio servers": """
        import asyncio, tempfile
        async def echo(reader, writer):
            writer.write(await reader.read())
            writer.close()
        async def ask(connecting):
            reader, writer = await connecting
            writer.write(b"x" * 300_000)
            writer.write_eof()
            assert len(await reader.read()) == 300_000
        class Datagrams(asyncio.DatagramProtocol):
            def __init__(self): self.got = asyncio.get_running_loop().create_future()
            def datagram_received(self, data, address): self.got.set_result(data)
        async def main():
            server = await asyncio.start_server(echo, "127.0.0.1", 0)
            await ask(asyncio.open_connection(*server.sockets[0].getsockname()))
            with tempfile.TemporaryDirectory() as directory:
                await asyncio.start_unix_server(echo, directory + "/socket")
                await ask(asyncio.open_unix_connection(directory + "/socket"))
            loop = asyncio.get_running_loop()
            there, protocol = await loop.create_datagram_endpoint(
                Datagrams, local_addr=("127.0.0.1", 0))
            address = there.get_extra_info("sockname")
            here, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=address)
            here.sendto(b"y")
            assert await protocol.got == b"y"
        asyncio.run(main())
        """,
    "encryption": """
        import socket, ssl, threading
        def context(side):
            made = ssl.SSLContext(side)
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            made.maximum_version = ssl.TLSVersion.TLSv1_2
            made.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")  # needs no certificate
            return made
        listener = socket.create_server(("127.0.0.1", 0))
        def serve():
            with context(ssl.PROTOCOL_TLS_SERVER).wrap_socket(listener.accept()[0],
                                                              server_side=True) as end:
                end.sendall(end.recv(100))
        thread = threading.Thread(target=serve)
        thread.start()
        plain = socket.create_connection(listener.getsockname())
        with context(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(plain) as end:
            end.sendall(b"x")
            assert end.recv(100) == b"x"
        thread.join()
        """,
    "a manager of shared objects": """
        import multiprocessing
        with multiprocessing.Manager() as manager:
            shared = manager.dict()
            child = multiprocessing.Process(target=shared.update, args=({"x": 1},))
            child.start()
            child.join()
            assert dict(shared) == {"x": 1}
        """,
    "asyncio": """
        import asyncio
        async def main():
            pipe = asyncio.subprocess.PIPE
            child = await asyncio.create_subprocess_exec("echo", "x", stdout=pipe)
            assert (await child.communicate())[0] == b"x\\n"
            return await asyncio.to_thread(sum, [1, 2])
        assert asyncio.run(main()) == 3
        """,
    "signals and timers": """
        import signal, time
        seen = []
        signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while not seen: time.sleep(0.01)
        """,
    "files": """
        import mmap, os, shutil, tempfile
        with tempfile.TemporaryDirectory() as directory:
            with open(directory + "/a", "wb") as file:
                file.write(b"x" * 5000)
                os.fsync(file.fileno())
            shutil.copy2(directory + "/a", directory + "/b")
            os.rename(directory + "/b", directory + "/c")
            with open(directory + "/c", "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
                assert view[:1] == b"x"
            shutil.rmtree(directory + "/", ignore_errors=False)
            os.mkdir(directory)
        memory = os.memfd_create("m")
        os.sync()
        """,
    "processes by descriptor": """
        import os, signal
        child = os.fork()
        if child == 0: signal.pause()
        descriptor = os.pidfd_open(child)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        assert os.waitid(os.P_PIDFD, descriptor, os.WEXITED).si_status == signal.SIGKILL
        """,
}
if importlib.util.find_spec("numpy"):
    ORDINARY["numpy"] = """
        import numpy
        assert (numpy.ones((200, 200)) @ numpy.ones((200, 200))).sum() == 200**3
        """


@pytest.mark.parametrize("what", ORDINARY)
def test_ordinary_things_work(what: str, run_filtered: Callable[..., Completed]) -> None:
    body = textwrap.dedent(ORDINARY[what])
    done = run_filtered(
        f"if __name__ == '__main__':\n{textwrap.indent(body, '    ')}\n    print('done')"
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


MACHINE_CODE = """
import mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex({code!r}))
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
ctypes.CFUNCTYPE(ctypes.c_int)(address)()
print("alive")
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 instructions")
@pytest.mark.parametrize(
    ("code", "signals"),
    [
        # mov eax, 20 (getpid); int 0x80; ret. A kernel built without 32-bit calls: SIGSEGV.
        ("b814000000cd80c3", {signal.SIGSYS, signal.SIGSEGV}),
        # mov eax, 0x40000027 (getpid of x32); syscall; ret
        ("b8270000400f05c3", {signal.SIGSYS}),
    ],
)
def test_call_of_another_architecture_kills(
    code: str, signals: set[signal.Signals], run_filtered: Callable[..., Completed]
) -> None:
    done = run_filtered(MACHINE_CODE.format(code=code))
    assert done.stdout == ""
    assert -done.returncode in signals, done.stderr


# What can be wrong with a host.


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "truncated"),
        ('{"syscalls": []}', "defaultAction"),
        ('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}', "must not be SCMP_ACT_ALLOW"),
        ('{"defaultAction": "SCMP_ACT_NOTIFY", "syscalls": []}', "SCMP_ACT_NOTIFY"),
    ],
)
def test_unusable_profile_is_refused_by_name(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    file.write_text(text)
    with pytest.raises(HostError, match=complaint):
        compile_filter(file)


def test_missing_profile_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"no file .*/none\.json"):
        compile_filter(tmp_path / "none.json")


def test_unknown_machine_is_refused_by_name() -> None:
    with pytest.raises(HostError, match="no cells on vax"):
        compile_filter(None, "vax")
