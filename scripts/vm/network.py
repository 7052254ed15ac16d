"""A network for User Mode Linux, without privilege: passt speaks for it on the host's own sockets.

User Mode Linux gives and takes Ethernet frames as datagrams; passt takes them as QEMU does, in a
stream, each behind its length (32 bits, big endian; `--fd` in passt(1)).
"""

import socket
import subprocess
from threading import Thread

from tools import Unable

_LENGTH_BYTES = 4
_MOST_BYTES = 65536
# The addresses of QEMU's own network, which base.py tells the machine.
_PASST = (
    *("passt", "--foreground", "--quiet", "--ipv4-only"),
    *("--address", "10.0.2.15", "--netmask", "24", "--gateway", "10.0.2.2"),
    *("--dns-forward", "10.0.2.3", "--tcp-ports", "none", "--udp-ports", "none"),
)


def plug() -> socket.socket:
    """Where a machine is to be plugged in. It works for as long as this process and the machine do.

    :raises Unable: there is no passt
    """
    frames, outlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    stream, passts = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with passts:
        try:
            subprocess.Popen(
                (*_PASST, "--fd", str(passts.fileno())),
                pass_fds=[passts.fileno()],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # it complains where there is no system log
            )
        except FileNotFoundError:
            raise Unable("no passt; apt-get install passt") from None
    Thread(target=_out, args=(frames, stream), daemon=True).start()
    Thread(target=_in, args=(frames, stream), daemon=True).start()
    return outlet


def _out(frames: socket.socket, stream: socket.socket) -> None:
    while frame := frames.recv(_MOST_BYTES):
        stream.sendall(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)


def _in(frames: socket.socket, stream: socket.socket) -> None:
    with stream.makefile("rb") as coming:
        while len(length := coming.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
            frames.send(coming.read(int.from_bytes(length, "big")))
