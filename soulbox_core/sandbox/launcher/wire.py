"""Frames between the core, the launcher and the cells: one JSON object and some descriptors.

Over SOCK_SEQPACKET Unix sockets, so a frame is read whole or not at all. A frame too big for
one packet (net.core.wmem_default is 212,992 bytes and counts overhead) travels as a memfd,
which is then the last descriptor.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import socket
from collections.abc import Callable
from typing import Any

PACKET_BYTES = 48 * 1024
MAX_DESCRIPTORS = 16
_BY_MEMFD = b"@"
_ANCILLARY_BYTES = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)


class Closed(Exception):
    """The other end of the socket is gone."""


def send(sock: socket.socket, frame: Any, descriptors: tuple[int, ...] = ()) -> None:
    """Send one JSON-serialisable frame.

    :raises Closed: nobody is there to read it
    :raises BlockingIOError: a non-blocking socket's buffer is full
    """
    send_encoded(sock, json.dumps(frame).encode(), descriptors)


def send_encoded(sock: socket.socket, body: bytes, descriptors: tuple[int, ...] = ()) -> None:
    """Send one frame that is JSON already. Raises as `send`."""
    try:
        if len(body) <= PACKET_BYTES:
            socket.send_fds(sock, [body], descriptors)
            return
        memfd = sealed_file(body)
        try:
            socket.send_fds(sock, [_BY_MEMFD], (*descriptors, memfd))
        finally:
            os.close(memfd)
    except (BrokenPipeError, ConnectionResetError):
        raise Closed from None


def receive(
    sock: socket.socket, decode: Callable[[bytes], Any] = json.loads
) -> tuple[Any, list[int]]:
    """Return the next frame and its descriptors (close-on-exec, the caller's to close).

    :param decode: the core has a faster one
    :raises Closed: the other end is gone
    :raises BlockingIOError: a non-blocking socket has nothing to read
    """
    try:
        body, ancillary, _, _ = sock.recvmsg(
            PACKET_BYTES, _ANCILLARY_BYTES, socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionResetError:
        raise Closed from None
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    if not body:
        raise Closed
    received = list(descriptors)
    if body == _BY_MEMFD:
        with open(received.pop(), "rb") as file:
            file.seek(0)
            body = file.read()
    return decode(body), received


def sealed_file(content: bytes) -> int:
    """Return a descriptor of an anonymous file that nobody can change any more.

    Sealed, since the reader may be hostile and the file's memory is the sender's.
    """
    memfd = os.memfd_create("soulbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(content)
    while view:
        view = view[os.write(memfd, view) :]
    os.lseek(memfd, 0, os.SEEK_SET)
    fcntl.fcntl(
        memfd,
        fcntl.F_ADD_SEALS,
        fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL,
    )
    return memfd
