"""A hello beside many connections that are held open, and beside none."""

import asyncio
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from bench import http
from bench.measure import LONE_PAUSE_SECONDS, Sample, timed
from tests.integration.service import Service

IDLE = 500
SLOW = 200
DRIP_SECONDS = 1.0
READY = "ready"

_HEALTH = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
_HEAD = b"POST /v1/run/python HTTP/1.1\r\nhost: localhost\r\nx-slow: "
_BODY = b"POST /v1/run/python HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n"


def beside_held(
    service: Service, message: bytes, count: int, idle: int = IDLE, slow: int = SLOW
) -> tuple[Sample, Sample]:
    """Time a request without and with connections that another process holds open.

    Half of the slow ones send a byte of a head every second, half a byte of a body; one that the
    service closes is opened again.

    :param message: a run that ends well, as `http.request` makes it
    :return: without them, with them
    """
    client = http.Client(service.port)

    def measured() -> Sample:
        # Lone and back to back: the first meets what wakes up now and then, the second a queue.
        lone = timed(lambda: client.run(message), max(20, count // 8), pause=LONE_PAUSE_SECONDS)
        return Sample(timed(lambda: client.run(message), count).seconds + lone.seconds)

    alone = measured()
    command = (sys.executable, "-m", "bench.connections", str(service.port), str(idle), str(slow))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == READY.encode()
        try:
            time.sleep(2 * DRIP_SECONDS)
            assert _sockets(service) >= idle + slow, "the connections are not all there"
            beside = measured()
            assert _sockets(service) >= idle + slow, "the connections were not held to the end"
        finally:
            holder.terminate()
    return alone, beside


def _sockets(service: Service) -> int:
    """How many the service has open, a few of its own among them."""
    found = 0
    for descriptor in Path(f"/proc/{service.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found += os.readlink(descriptor).startswith("socket:")
    return found


async def hold(port: int, idle: int, slow: int) -> None:
    """Hold connections open until killed; says when all of them are there."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tasks = [asyncio.create_task(_idle(port)) for _ in range(idle)]
    tasks += [
        asyncio.create_task(_slow(port, (_HEAD, _BODY)[each % 2], each / slow))
        for each in range(slow)
    ]
    await asyncio.sleep(2)
    print(READY, flush=True)
    await asyncio.gather(*tasks)


async def _idle(port: int) -> None:
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_HEALTH)
        while await reader.read(4096):
            pass
        writer.close()


async def _slow(port: int, begin: bytes, offset: float) -> None:
    await asyncio.sleep(offset * DRIP_SECONDS)
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begin)
        try:
            while not reader.at_eof():
                writer.write(b"x")
                await asyncio.sleep(DRIP_SECONDS)
        except OSError:
            pass
        writer.close()


def main(count: int) -> None:
    """Measure with a service of its own, and print it."""
    flags = ("server.connections_per_address=2000", "rates.address.burst=100000")
    service = Service("bench-held", "log_level=warning", *flags)
    try:
        message = http.request(service.port, 'print("hi")')
        for _ in range(3):
            alone, beside = beside_held(service, message, count)
            print(f"alone {alone}; beside {beside}: p99 {beside.p99 / alone.p99:.2f} x", flush=True)
    finally:
        service.stop()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        asyncio.run(hold(*map(int, sys.argv[1:4])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 480)
