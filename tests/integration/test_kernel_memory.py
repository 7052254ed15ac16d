"""What a program in a cell could have the kernel hold that is not charged to the cell.

Every attack here worked once, or works where the filter is not installed.
"""

import errno

import pytest

from tests.integration.service import Service

ATTEMPT = """
import ctypes, errno, fcntl, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def attempt(action):
    try:
        action()
        print("done")
    except OSError as error:
        print(errno.errorcode[error.errno])
def call(function, *arguments):
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")
def datagrams(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_DGRAM)
# struct sock_fprog of one instruction, BPF_RET | BPF_K: pass every packet
instruction = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000))
program = struct.pack("HxxxxxxQ", 1, ctypes.addressof(instruction))
"""


@pytest.mark.parametrize(
    ("attack", "answer"),
    [
        # the kernel's answers wait on the socket
        ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)", errno.EAFNOSUPPORT),
        ("socket.if_nameindex()", errno.EAFNOSUPPORT),
        # copies of what was sent wait on the error queue
        ("datagrams().setsockopt(socket.SOL_SOCKET, 37, 18)", errno.ENOPROTOOPT),
        ("datagrams().setsockopt(socket.SOL_SOCKET, 65, 18)", errno.ENOPROTOOPT),
        ("datagrams().setsockopt(socket.SOL_SOCKET, 60, 1)", errno.ENOPROTOOPT),
        # half a datagram waits for its rest
        (
            "datagrams().sendto(b'x' * 60_000, socket.MSG_MORE, ('127.0.0.1', 9))",
            errno.EOPNOTSUPP,
        ),
        (
            "datagrams().sendmsg([b'x' * 60_000], [], socket.MSG_MORE, ('127.0.0.1', 9))",
            errno.EOPNOTSUPP,
        ),
        ("datagrams().setsockopt(socket.IPPROTO_UDP, 1, 1)", errno.ENOPROTOOPT),
        # a larger queue, by another name
        ("socket.socket().setsockopt(socket.SOL_SOCKET, 18, 1 << 20)", errno.ENOPROTOOPT),
        # flow labels, counted for the whole host
        (
            "datagrams(socket.AF_INET6).setsockopt(41, 32, socket.inet_pton(10, '::1')"
            " + struct.pack('=IBBHHHI', 0, 0, 255, 1, 60, 60, 0))",
            errno.ENOPROTOOPT,
        ),
        # compiled filters, in memory of which the whole host has bpf_jit_limit bytes
        ("socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, 26, program)", errno.ENOPROTOOPT),
        ("datagrams().setsockopt(socket.SOL_SOCKET, 51, program)", errno.ENOPROTOOPT),
        ("call(libc.prctl, 22, 2, program, 0, 0)", errno.EINVAL),
        ("call(libc.syscall, {'x86_64': 317}.get(os.uname().machine, 277), 1, 0, program)",
         errno.ENOSYS),
    ],
)  # fmt: skip
def test_what_the_kernel_would_hold_for_nothing_is_refused(
    attack: str, answer: int, service: Service
) -> None:
    code = f"{ATTEMPT}\nattempt(lambda: {attack})"
    assert service.output(code) == f"{errno.errorcode[answer]}\n"


def test_error_queues_stay_empty_and_receive_queues_short(service: Service) -> None:
    """A resolver may ask for the error queue and a server for a long one; neither gets it."""
    code = f"""{ATTEMPT}
sender = datagrams()
sender.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
before = sender.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
print(sender.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == before)
with datagrams() as nobody:
    nobody.bind(("127.0.0.1", 0))
    address = nobody.getsockname()
for _ in range(3):
    sender.sendto(b"x" * 1000, address)
attempt(lambda: sender.recvmsg(2000, 1000, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT))
"""
    assert service.output(code) == "True\nEAGAIN\n"


@pytest.mark.parametrize(
    ("attack", "answer"),
    [
        ("call(libc.inotify_init)", errno.ENOSYS),
        ("call(libc.inotify_init1, 0)", errno.ENOSYS),
        ("fcntl.fcntl(os.open('/usr/bin', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)",
         errno.EINVAL),
    ],
)  # fmt: skip
def test_files_of_the_image_cannot_be_watched(attack: str, answer: int, service: Service) -> None:
    """Cells of a container share the image: a watch would show what the others open."""
    code = f"{ATTEMPT}\nattempt(lambda: {attack})"
    assert service.output(code) == f"{errno.errorcode[answer]}\n"


def test_a_cells_network_namespace_bounds_what_sockets_hold(service: Service) -> None:
    """Where the kernel has the setting for a namespace: tstamp_allow_data came late."""
    code = """
import os
for name in ("core/tstamp_allow_data", "core/somaxconn", "ipv4/tcp_rmem"):
    path = "/proc/sys/net/" + name
    print(*open(path).read().split() if os.path.exists(path) else ["the host's"])
"""
    stamps, *rest = service.output(code).splitlines()
    assert stamps in ("0", "the host's")
    assert rest == ["64", "4096 16384 262144"]
