"""Which sockets a cell may make, and which of their options it may set.

The kernel charges a socket's own structures to the cell, and what waits to be received on it,
but not everything that it can be made to hold. With thousands of sockets (`processes` times
`open_files`), whatever is not charged has to be small for each of them. So options are
allowed by name, and a new kernel's options stay shut until somebody has looked at them.
"""

import socket
from errno import EAFNOSUPPORT, ENOPROTOOPT, EOPNOTSUPP, EPROTONOSUPPORT

from soulbox_core.model import Value
from soulbox_core.sandbox.libseccomp import (
    ALLOW,
    LOW_HALF,
    Condition,
    Op,
    Rule,
    errno_action,
)

FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
"""All others (vsock reaches the hypervisor, ALG and PACKET the kernel's depths) and any
that would load a module are EAFNOSUPPORT. Netlink is among them: the kernel's answers wait on
the socket and are charged to nobody, some 200 KiB each. getaddrinfo(3) does without it,
getifaddrs(3) and if_nameindex(3) fail."""
_LAST_PROTOCOL = socket.IPPROTO_UDP
"""IP protocols above it load modules on demand (DCCP, SCTP, UDP-Lite, MPTCP)."""
_FLAGS_AT = {"sendto": 3, "sendmsg": 2, "sendmmsg": 3}
"""Which argument has MSG_MORE. With it a UDP socket keeps up to 64 KiB, charged to nobody, that
wait for the rest of a datagram. It fails for TCP too: a filter does not see the socket's kind."""

NOT_AN_OPTION = errno_action(ENOPROTOOPT)
"""What setsockopt fails with for all that neither table names: "this kernel has not got it"."""

ALLOWED_OPTIONS = {
    socket.SOL_SOCKET: {
        "SO_REUSEADDR": 2,
        "SO_DONTROUTE": 5,
        "SO_BROADCAST": 6,
        "SO_SNDBUF": 7,  # what waits to be sent is charged
        "SO_KEEPALIVE": 9,
        "SO_OOBINLINE": 10,
        "SO_NO_CHECK": 11,
        "SO_PRIORITY": 12,
        "SO_LINGER": 13,
        "SO_REUSEPORT": 15,
        "SO_PASSCRED": 16,
        "SO_RCVTIMEO": 20,
        "SO_SNDTIMEO": 21,
        "SO_BINDTODEVICE": 25,
        "SO_TIMESTAMP": 29,
        "SO_PASSSEC": 34,
        "SO_TIMESTAMPNS": 35,
        "SO_PEEK_OFF": 42,
        "SO_INCOMING_CPU": 49,
        "SO_TIMESTAMP_NEW": 63,
        "SO_TIMESTAMPNS_NEW": 64,
        "SO_RCVTIMEO_NEW": 66,
        "SO_SNDTIMEO_NEW": 67,
        "SO_PASSPIDFD": 76,
    },
    socket.IPPROTO_TCP: {
        "TCP_NODELAY": 1,
        "TCP_MAXSEG": 2,
        "TCP_CORK": 3,
        "TCP_KEEPIDLE": 4,
        "TCP_KEEPINTVL": 5,
        "TCP_KEEPCNT": 6,
        "TCP_SYNCNT": 7,
        "TCP_LINGER2": 8,
        "TCP_DEFER_ACCEPT": 9,
        "TCP_QUICKACK": 12,
        "TCP_CONGESTION": 13,
        "TCP_USER_TIMEOUT": 18,
        "TCP_NOTSENT_LOWAT": 25,
    },
    socket.IPPROTO_IP: {
        "IP_TOS": 1,
        "IP_TTL": 2,
        "IP_PKTINFO": 8,
        "IP_MTU_DISCOVER": 10,
        "IP_RECVTTL": 12,
        "IP_RECVTOS": 13,
        "IP_FREEBIND": 15,
        "IP_BIND_ADDRESS_NO_PORT": 24,
        "IP_MULTICAST_IF": 32,
        "IP_MULTICAST_TTL": 33,
        "IP_MULTICAST_LOOP": 34,
        "IP_MULTICAST_ALL": 49,
    },
    socket.IPPROTO_IPV6: {
        "IPV6_UNICAST_HOPS": 16,
        "IPV6_MULTICAST_IF": 17,
        "IPV6_MULTICAST_HOPS": 18,
        "IPV6_MULTICAST_LOOP": 19,
        "IPV6_MTU_DISCOVER": 23,
        "IPV6_V6ONLY": 26,
        "IPV6_MULTICAST_ALL": 29,
        "IPV6_RECVPKTINFO": 49,
        "IPV6_RECVHOPLIMIT": 51,
        "IPV6_DONTFRAG": 62,
        "IPV6_RECVTCLASS": 66,
        "IPV6_TCLASS": 67,
    },
}
"""By level, from asm-generic/socket.h (which x86-64 and aarch64 share), linux/tcp.h, linux/in.h
and linux/in6.h: none of them makes a socket hold more memory than it is charged for, and none
takes a program, of which the whole host has `net.core.bpf_jit_limit` bytes.

Left out on purpose, among the rest: filters (SO_ATTACH_FILTER, SO_ATTACH_BPF,
SO_ATTACH_REUSEPORT_*); what fills the error queue (SO_TIMESTAMPING, SO_ZEROCOPY, SO_TXTIME);
SO_RCVLOWAT and SO_RCVBUFFORCE, which stretch the receive buffer; UDP_CORK, as MSG_MORE;
IPV6_FLOWLABEL_MGR, whose labels are counted for the whole host; multicast groups, which the
kernel keeps in memory of its own, and which nobody is in on a loopback.
"""


class Ignored(Value, frozen=True):
    """An option that setsockopt takes, returning 0, and does nothing about."""

    level: int
    name: str
    number: int
    reason: str


IGNORED_OPTIONS = (
    Ignored(
        level=socket.SOL_SOCKET,
        name="SO_RCVBUF",
        number=8,
        reason="the buffer's size also bounds the error queue, which is not charged",
    ),
    Ignored(
        level=socket.IPPROTO_IP,
        name="IP_RECVERR",
        number=11,
        reason="puts refused datagrams on the error queue; glibc's resolver fails if it may not",
    ),
    Ignored(
        level=socket.IPPROTO_IPV6,
        name="IPV6_RECVERR",
        number=25,
        reason="as IP_RECVERR",
    ),
)


def socket_rules() -> list[Rule]:
    """What is denied of making sockets and sending on them.

    Families and protocols are compared in 64 bits, so that an odd upper half is denied.
    """
    last = max(FAMILIES)
    more = int(socket.MSG_MORE)
    between = [family for family in range(last) if family not in FAMILIES]
    return [
        _deny("socket", EAFNOSUPPORT, _argument(0, Op.GT, last)),
        *(_deny("socket", EAFNOSUPPORT, _argument(0, Op.EQ, family)) for family in between),
        *(
            _deny(
                "socket",
                EPROTONOSUPPORT,
                _argument(0, Op.EQ, family),
                _argument(2, Op.GT, _LAST_PROTOCOL),
            )
            for family in (socket.AF_INET, socket.AF_INET6)
        ),
        _deny("socketpair", EAFNOSUPPORT, _argument(0, Op.NE, socket.AF_UNIX)),
        *(
            _deny(name, EOPNOTSUPP, Condition(index=at, op=Op.MASKED_EQ, a=more, b=more))
            for name, at in _FLAGS_AT.items()
        ),
    ]


def option_rules() -> list[Rule]:
    """What setsockopt may do. Level and option are compared in 32 bits, as the kernel does."""
    allowed = [
        _option(ALLOW, level, number)
        for level, options in ALLOWED_OPTIONS.items()
        for number in options.values()
    ]
    ignored = [_option(errno_action(0), one.level, one.number) for one in IGNORED_OPTIONS]
    return allowed + ignored


def _option(action: int, level: int, number: int) -> Rule:
    conditions = tuple(
        Condition(index=index, op=Op.MASKED_EQ, a=LOW_HALF, b=value)
        for index, value in ((1, level), (2, number))
    )
    return Rule(name="setsockopt", action=action, conditions=conditions)


def _argument(index: int, op: Op, value: int) -> Condition:
    return Condition(index=index, op=op, a=value)


def _deny(name: str, errno: int, *conditions: Condition) -> Rule:
    return Rule(name=name, action=errno_action(errno), conditions=conditions)
