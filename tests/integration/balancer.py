"""A real HAProxy with the configuration of deploy/haproxy, in front of nodes on loopback."""

import csv
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.api.test_tls import make, trusting
from tests.integration.service import free_port

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
_READY_SECONDS = 20.0


class Ports(NamedTuple):
    """Where a node, or who stands before all nodes, listens."""

    http: int
    grpc: int


def rendered(nodes: Mapping[str, Ports], own: Ports, directory: Path) -> str:
    """The configuration with addresses and places of a test; all else is as it is delivered.

    :param nodes: by the names that the configuration has for them
    :param own: where clients come in
    :param directory: has `soulbox.pem`, and the socket where HAProxy is asked
    """
    text = CONFIGURATION.read_text()
    changes = {
        r"log /dev/log local0": "log stdout format raw local0 info",
        r"stats socket /run/haproxy/(.*)": rf"stats socket {directory}/\g<2>",
        r"bind :443 (.*)": rf"bind 127.0.0.1:{own.http} \g<2>",
        r"bind :8443 (.*)": rf"bind 127.0.0.1:{own.grpc} \g<2>",
    }
    for name, at in nodes.items():
        changes[rf"server {name} \S+:8000"] = f"server {name} 127.0.0.1:{at.http}"
        # Here they differ by their ports, and not by their hosts.
        grpc = f"server {name} 127.0.0.1:{at.grpc} port {at.http}"
        changes[rf"server {name} \S+:8001"] = grpc
    for old, new in changes.items():
        text, found = re.subn(rf"(?m)^(    ){old}$", rf"\g<1>{new}", text)
        assert found == 1, f"{old} is in {CONFIGURATION} {found} times"
    return text.replace("ssl crt /etc/haproxy/", f"ssl crt {directory}/")


class Balancer:
    """HAProxy, while it runs: at localhost, on ports of its own, over TLS.

    :param directory: one to write into
    """

    def __init__(self, directory: Path, nodes: Mapping[str, Ports]) -> None:
        self._admin = directory / "admin.sock"
        self.ports = Ports(free_port(), free_port())
        self.certificate, key = make(directory)
        self.trust = trusting(self.certificate)
        pem = self.certificate.read_bytes() + key.read_bytes()
        (directory / "soulbox.pem").write_bytes(pem)
        configuration = directory / "haproxy.cfg"
        configuration.write_text(rendered(nodes, self.ports, directory))
        self._log = (directory / "haproxy.log").open("w+")
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(configuration)], stdout=self._log, stderr=self._log
        )
        self.await_up(*nodes)

    def up(self) -> set[tuple[str, str]]:
        """The servers that it sends requests to: their backends, and their names there."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._admin))
            admin.sendall(b"show stat -1 4 -1\n")
            text = b"".join(iter(lambda: admin.recv(1 << 16), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        return {(row["pxname"], row["svname"]) for row in rows if row["status"] == "UP"}

    def await_up(self, *names: str) -> None:
        """Return when it sends requests to these nodes and to no others."""
        wanted = {(backend, name) for backend in ("nodes", "nodes_grpc") for name in names}
        deadline = time.monotonic() + _READY_SECONDS
        while (up := self._up()) != wanted:
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

    def _up(self) -> set[tuple[str, str]]:
        try:
            return self.up()
        except OSError:  # it is not there yet
            return set()


@contextmanager
def balancer(directory: Path, nodes: Mapping[str, Ports]) -> Iterator[Balancer]:
    running = Balancer(directory, nodes)
    try:
        yield running
    finally:
        running.stop()
