"""What it costs to run the whole service in one container, beside the same on the host."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import httpx

from bench import http
from bench.measure import Sample
from bench.report import Report, measured
from bench.service import in_turn, serving
from tests.container.contained import NAME, Contained, podman

HELLO = 'print("hi")'
STARTS = 5
OPEN = (
    *("--env", "SOULBOX_AUTH__ENABLED=false"),
    *("--env", "SOULBOX_AUTH__LET_ANYBODY_ON_THE_NETWORK_RUN_CODE=true"),
)
"""Its port is published on loopback alone."""
_POLL_SECONDS = 0.01


def first_answer(contained: Contained) -> float:
    """Seconds from `podman run` to the answer of a program that is sent as soon as it is taken."""
    start = time.perf_counter()
    subprocess.run(("sh", "-c", contained.line), check=True, stdout=subprocess.DEVNULL)
    while True:
        try:
            answer = contained.client.post("/v1/run/python", content=HELLO)
        except httpx.HTTPError:
            time.sleep(_POLL_SECONDS)
            continue
        assert answer.json()["stdout"] == "hi\n", answer.text
        return time.perf_counter() - start


def starts(report: Report, image: str) -> None:
    """The very first start, into an empty volume, and later ones."""
    contained = Contained(image, *OPEN)
    contained.client.headers["content-type"] = "text/plain"
    podman("volume", "rm", "--force", NAME)
    seconds = [first_answer(contained)]
    try:
        for _ in range(STARTS):
            podman("stop", NAME)
            seconds.append(first_answer(contained))
    finally:
        podman("rm", "--force", NAME)
        podman("volume", "rm", "--force", NAME)
    later = Sample(tuple(seconds[1:]))
    report.row("podman run to first answer, empty volume, s", "", "", seconds[0], "<= 3")
    report.row("podman run to first answer, s", later, "", later.p50, "<= 3")


def hello(port: int) -> Callable[[], object]:
    """A call that runs a hello."""
    client = http.Client(port)
    message = http.request(port, HELLO)
    return lambda: client.run(message)


def latency(report: Report, image: str, count: int) -> None:
    """A lone hello through the published port, and one to a service on the host, in turn."""
    with serving("bench-host") as host, Contained(image, *OPEN) as contained:
        port = httpx.URL(contained.url).port
        assert port is not None
        inside, outside = in_turn([hello(port), hello(host.port)], count)
    report.ratio("hello in the container / on the host", inside, outside, "<= 1.2")


def main(image: str, count: int) -> int:
    """Measure everything and print it; return how many bars were missed."""
    size = int(podman("image", "inspect", "--format={{.Size}}", image).stdout)
    print(f"{image}: {size / 1e9:.2f} GB")
    return measured(
        (
            lambda report, count: starts(report, image),
            lambda report, count: latency(report, image, count),
        ),
        count,
    )


if __name__ == "__main__":
    sys.exit(main(os.environ["IMAGE_UNDER_TEST"], int(sys.argv[1]) if sys.argv[1:] else 200))
