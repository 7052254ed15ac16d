"""A download through the way out of a cell, and the same without a cell."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measure import WARM_CALLS, Sample
from soulbox_core import certificates
from tests.integration.service import Service
from tests.integration.web import ADDRESS, Web, web

MEGABYTES = 10
BAR = "<= 1.5"
_PROGRAM = """
import sys, time, urllib.request
url, size = sys.argv[1:]
start = time.perf_counter()
with urllib.request.urlopen(url) as response:
    assert len(response.read()) == int(size)
print(time.perf_counter() - start)
"""


def downloads(count: int) -> tuple[Sample, Sample]:
    """Time a program that fetches 10 MB from an HTTPS server of this machine, TLS and all.

    What is timed is the fetching alone, by the program itself: starting it is timed elsewhere.
    The two take turns.

    :param count: downloads of each
    :return: in a cell, through its proxy; as a process of this host
    """
    with tempfile.TemporaryDirectory() as directory, web(Path(directory)) as hosts:
        service = Service(
            "bench-egress",
            "log_level=warning",
            f"policies.default.network={json.dumps(hosts.hosts)}",
            f'egress.private_networks=["{ADDRESS}/32"]',
            "pool.parked=1",
            env={"CURL_CA_BUNDLE": str(hosts.authority)},
        )
        try:
            env = _as_the_service(hosts, Path(directory))
            inside, outside = [], []
            for number in range(count + WARM_CALLS):
                pair = _inside(service, hosts), _outside(hosts, env)
                if number >= WARM_CALLS:
                    inside.append(pair[0])
                    outside.append(pair[1])
        finally:
            service.stop()
    return Sample(tuple(inside)), Sample(tuple(outside))


def _arguments(hosts: Web) -> tuple[str, str]:
    size = MEGABYTES * 1_000_000
    return f"{hosts.secure}/bytes?{size}", str(size)


def _inside(service: Service, hosts: Web) -> float:
    answer = service.run(_PROGRAM, args=_arguments(hosts), network={"allow": hosts.hosts})
    assert answer["status"] == "ok", answer
    return float(answer["stdout"])


def _outside(hosts: Web, env: dict[str, str]) -> float:
    argv = [sys.executable, "-c", _PROGRAM, *_arguments(hosts)]
    return float(subprocess.check_output(argv, env=env))


def _as_the_service(hosts: Web, directory: Path) -> dict[str, str]:
    """Variables by which a process of this host trusts whom a cell trusts: reading the
    certificates is part of the time."""
    bundle = directory / "bundle.pem"
    bundle.write_bytes(certificates.bundle({**os.environ, "CURL_CA_BUNDLE": str(hosts.authority)}))
    return {**os.environ, "SSL_CERT_FILE": str(bundle), "NO_PROXY": "*"}


def main(count: int) -> None:
    """Measure, and print it."""
    inside, outside = downloads(count)
    print(f"{MEGABYTES} MB over HTTPS in a cell: {inside}")
    print(f"the same without a cell: {outside}")
    print(f"ratio: {inside.p50 / outside.p50:.2f}, bar: {BAR}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
