"""One end of a connection, on a plain socket: what is in memory for it is one buffer."""

import asyncio
import socket
from collections.abc import Callable

from soulbox_core.egress.ledger import Account

PIECE_BYTES = 65536
_LAST_SECONDS = 1.0
_LAST_PIECES = 16


class Stream:
    """Reads and writes; closes with its socket.

    :param sock: not blocking
    :param account: where its bytes are counted, if anywhere
    :raises Spent: from reading and writing, when they are too many
    """

    def __init__(self, sock: socket.socket, account: Account | None = None) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._account = account
        self._loop = asyncio.get_running_loop()
        self.progress: Callable[[], None] = lambda: None
        """Called whenever bytes have moved."""

    async def read(self, most: int = PIECE_BYTES) -> bytes:
        """What there is; nothing at the end."""
        data = await self._loop.sock_recv(self._sock, most)
        self._received(len(data))
        return data

    async def read_into(self, buffer: bytearray) -> int:
        """The same into memory that is there; how much it was."""
        count = await self._loop.sock_recv_into(self._sock, buffer)
        self._received(count)
        return count

    async def write(self, data: bytes | memoryview) -> None:
        if self._account is not None:
            self._account.send(len(data))
        await self._loop.sock_sendall(self._sock, data)
        self.progress()

    def finish(self) -> None:
        """Say that no more will be written."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the peer has left

    async def close(self) -> None:
        """End it so that the peer gets the last of what it was sent: who closes a socket with
        unread data in it resets the connection (RFC 9293, 3.10.4)."""
        self.finish()
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                for _ in range(_LAST_PIECES):
                    if not await self._loop.sock_recv(self._sock, PIECE_BYTES):
                        return
        except (OSError, TimeoutError):
            return

    def _received(self, count: int) -> None:
        if self._account is not None:
            self._account.receive(count)
        self.progress()
