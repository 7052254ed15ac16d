"""A client that costs as little as one can in Python: bytes out, bytes in, on a kept connection."""

import asyncio
import json
import socket
import time
from typing import Any

from bench.measure import Sample


def request(port: int, source: str, language: str = "python", query: str = "") -> bytes:
    """A request whose body is the source.

    :param query: options of the run, encoded
    """
    body = source.encode()
    head = (
        f"POST /v1/run/{language}?{query} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
        f"content-type: text/plain\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Client:
    """One kept-alive connection, blocking."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: bytes) -> bytes:
        """Send a request; return the answer's body."""
        self._socket.sendall(message)
        received = b""
        while True:
            received += self._socket.recv(65536)
            head, separator, body = received.partition(b"\r\n\r\n")
            if separator and len(body) >= _length(head):
                return body

    def run(self, message: bytes, stdout: str | None = None) -> dict[str, Any]:
        """Send a request, which must be answered with status ok, and return the answer."""
        answer: dict[str, Any] = json.loads(self.send(message))
        assert answer["status"] == "ok", answer
        assert stdout is None or answer["stdout"] == stdout, answer
        return answer


def crowd(port: int, message: bytes, clients: int, each: int) -> tuple[Sample, float]:
    """So many clients at once, each sending requests one after the other.

    :return: the durations, and requests a second
    """

    async def one(seconds: list[float]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(each):
            start = time.perf_counter()
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            seconds.append(time.perf_counter() - start)
            assert b'"status":"ok"' in body, body
        writer.close()

    async def all_of_them() -> tuple[Sample, float]:
        seconds: list[float] = []
        start = time.perf_counter()
        await asyncio.gather(*(one(seconds) for _ in range(clients)))
        return Sample(tuple(seconds)), len(seconds) / (time.perf_counter() - start)

    return asyncio.run(all_of_them())


def first_byte(port: int, count: int) -> Sample:
    """From the program's write to the arrival of the event that carries it.

    The program prints the monotonic clock, which cell and client share.
    """
    source = (
        "import time\ntime.sleep(0.05)\nprint(time.perf_counter_ns(), flush=True)\ntime.sleep(0.05)"
    )
    message = request(port, source).replace(
        b"content-type", b"accept: application/x-ndjson\r\ncontent-type", 1
    )
    seconds = []
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(message)
            received = b""
            while b'"event":"stdout"' not in received:
                received += sock.recv(65536)
            arrived = time.perf_counter_ns()
            while b'"event":"result"' not in received:
                received += sock.recv(65536)
        written = int(received.split(b'"data":"')[1].split(b"\\n")[0])
        seconds.append((arrived - written) / 1e9)
    return Sample(tuple(seconds))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError(f"no content-length in {head!r}")
