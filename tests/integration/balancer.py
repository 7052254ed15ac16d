"""A real HAProxy with the configuration of deploy/haproxy, in front of nodes on loopback."""

import csv
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.api.test_tls import make, trusting
from tests.integration.service import free_port

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
_READY_SECONDS = 20.0


def rendered(nodes: Mapping[str, int], port: int, directory: Path) -> str:
    """The configuration with addresses and places of a test; all else is as it is delivered.

    :param nodes: their ports, by the names that the configuration has for them
    :param port: where clients come in
    :param directory: has `soulbox.pem`, and the socket where HAProxy is asked
    """
    text = CONFIGURATION.read_text()
    changes = {
        r"log /dev/log local0": "log stdout format raw local0 info",
        r"stats socket /run/haproxy/(.*)": rf"stats socket {directory}/\g<2>",
        r"bind :443 ssl crt /etc/haproxy/(.*)": rf"bind 127.0.0.1:{port} ssl crt {directory}/\g<2>",
        **{
            rf"server {name} \S+": f"server {name} 127.0.0.1:{node}" for name, node in nodes.items()
        },
    }
    for old, new in changes.items():
        text, found = re.subn(rf"(?m)^(    ){old}$", rf"\g<1>{new}", text)
        assert found == 1, f"{old} is in {CONFIGURATION} {found} times"
    return text


class Balancer:
    """HAProxy, while it runs: at https://localhost and a port of its own.

    :param directory: one to write into
    """

    def __init__(self, directory: Path, nodes: Mapping[str, int]) -> None:
        self._admin = directory / "admin.sock"
        self.port = free_port()
        self.certificate, key = make(directory)
        self.trust = trusting(self.certificate)
        pem = self.certificate.read_bytes() + key.read_bytes()
        (directory / "soulbox.pem").write_bytes(pem)
        configuration = directory / "haproxy.cfg"
        configuration.write_text(rendered(nodes, self.port, directory))
        self._log = (directory / "haproxy.log").open("w+")
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(configuration)], stdout=self._log, stderr=self._log
        )
        self.await_up(*nodes)

    def states(self) -> dict[str, str]:
        """What it thinks of each node, such as `UP` or `DOWN`."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._admin))
            admin.sendall(b"show stat nodes 4 -1\n")
            text = b"".join(iter(lambda: admin.recv(1 << 16), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return {row["svname"]: row["status"] for row in rows}

    def await_up(self, *names: str) -> None:
        """Return when it sends requests to these nodes and to no others."""
        deadline = time.monotonic() + _READY_SECONDS
        while (up := self._up()) != set(names):
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"up are {up}\n{self.said()}"
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def said(self) -> str:
        """Everything it has logged."""
        return Path(self._log.name).read_text()

    def _up(self) -> set[str]:
        try:
            return {name for name, state in self.states().items() if state == "UP"}
        except OSError:
            return set()


@contextmanager
def balancer(directory: Path, nodes: Mapping[str, int]) -> Iterator[Balancer]:
    running = Balancer(directory, nodes)
    try:
        yield running
    finally:
        running.stop()
