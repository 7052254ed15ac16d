"""What a service on a network costs: who may call and how often, many connections, the way out."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import calls, connections, egress, http
from bench.measure import LONE_PAUSE_SECONDS, WARM_CALLS, Sample
from bench.report import Report, measured
from tests.integration.service import Service
from tests.quotas.redis_server import redis_server

HELLO = 'print("hi")'
_BUCKETS = (
    "policies.default.rate.requests_per_second=100000",
    "policies.default.rate.burst=100000",
    "rates.total.requests_per_second=100000",
    "rates.total.burst=100000",
)
"""Two for each request, neither ever empty."""


@contextmanager
def serving(name: str, *flags: str, auth: bool = False) -> Iterator[Service]:
    """A service for the time of the context."""
    service = Service(name, "log_level=warning", *flags, auth=auth)
    try:
        yield service
    finally:
        service.stop()


def hello(service: Service) -> Callable[[], object]:
    """A call that runs a hello, with the service's key if it wants one."""
    client = http.Client(service.port)
    message = http.request(service.port, HELLO)
    if service.key:
        header = f"\r\nauthorization: Bearer {service.key}\r\n".encode()
        message = message.replace(b"\r\n", header, 1)
    return lambda: client.run(message)


def in_turn(calls: list[Callable[[], object]], count: int) -> list[Sample]:
    """Time lone calls that take turns, so that what else the host does is shared by all of them.
    Before each is a pause in which the cell of the one before it is replaced.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for number in range(count + WARM_CALLS):
        for call, taken in zip(calls, seconds, strict=True):
            time.sleep(LONE_PAUSE_SECONDS)
            start = time.perf_counter()
            call()
            if number >= WARM_CALLS:
                taken.append(time.perf_counter() - start)
    return [Sample(tuple(each)) for each in seconds]


def door(report: Report, count: int) -> None:
    """Authentication and rate limits, added to a hello: buckets in memory, and in Redis."""
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        redis = stack.enter_context(redis_server(Path(directory)))
        services = (
            serving("bench-open"),
            serving("bench-auth", *_BUCKETS, auth=True),
            serving("bench-redis", *_BUCKETS, f"rates.redis={redis.url}", auth=True),
        )
        calls = [hello(stack.enter_context(service)) for service in services]
        bare, memory, shared = in_turn(calls, count // 4)
    for what, sample, bar in (
        ("authentication and rate limit, added to a hello, ms", memory, "<= 0.4"),
        ("the same with Redis for limits, ms", shared, "<= 1.0"),
    ):
        report.row(what, sample, bare, (sample.p50 - bare.p50) * 1e3, bar)


def grpc(report: Report, count: int) -> None:
    """A hello over gRPC beside the same over HTTP."""
    with serving("bench-grpc", "grpc.port=0") as service:
        pair = [calls.over_http(service, HELLO), calls.over_grpc(service, HELLO)]
        over_http, over_grpc = in_turn(pair, count // 4)
    report.ratio("hello over gRPC / over HTTP", over_grpc, over_http, "<= 1.1")


def held(report: Report, count: int) -> None:
    """A hello beside connections that are held open."""
    with serving("bench-held", "server.connections_per_address=2000") as service:
        message = http.request(service.port, HELLO)
        alone, beside = connections.beside_held(service, message, count)
    what = f"p99 of a hello beside {connections.IDLE} idle and {connections.SLOW} slow connections"
    report.row(what, beside, alone, beside.p99 / alone.p99, "<= 3")


def way_out(report: Report, count: int) -> None:
    """A download through the way out."""
    inside, outside = egress.downloads(max(10, count // 16))
    report.ratio(f"{egress.MEGABYTES} MB over HTTPS / without a cell", inside, outside, egress.BAR)


ROWS = (door, grpc, held, way_out)
"""Each adds its rows to the report; `count` is how many requests to send."""


if __name__ == "__main__":
    measured(ROWS, int(sys.argv[1]) if len(sys.argv) > 1 else 480)
