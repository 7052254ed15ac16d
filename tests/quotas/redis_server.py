"""A real redis-server in a process of its own, to be stopped, started and made slow."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

READY_SECONDS = 10.0


class RedisServer:
    """On a unix socket, keeping nothing on disk."""

    def __init__(self, directory: Path) -> None:
        self._socket = directory / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                "redis-server",
                *("--port", "0", "--unixsocket", str(self._socket)),
                *("--save", "", "--appendonly", "no", "--daemonize", "no"),
                *("--dir", str(self._socket.parent)),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def pause(self) -> None:
        """Have it take connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def keys(self) -> list[str]:
        with redis.Redis.from_url(self.url) as client:
            return [key.decode() for key in client.scan_iter()]

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def redis_server(directory: Path) -> Iterator[RedisServer]:
    server = RedisServer(directory)
    try:
        yield server
    finally:
        server.kill()
