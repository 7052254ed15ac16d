"""What it costs to remember and to tell: result cache, records, metrics, traces."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench import corruption, http, listing
from bench.measure import Sample, timed
from bench.report import Report, measured
from bench.service import hello, in_turn, serving
from tests.integration import outage
from tests.quotas.redis_server import redis_server
from tests.telemetry.receiver import receiving

HELLO = 'print("hi")'
CLIENTS = 16
ROUNDS = 5
"""How often two services take turns under load."""
OUTAGE_SECONDS = 60.0
SILENT = ("records.enabled=false", "telemetry.metrics=false")
SECRET = "results.secret=not-a-secret-but-long-enough-for-one"


def records_and_metrics(report: Report, count: int) -> None:
    """A record and metrics, added to a hello."""
    with serving("bench-silent", *SILENT) as silent, serving("bench-telling") as telling:
        bare, told = in_turn([hello(silent), hello(telling)], count // 2)
    report.row(
        "record and metrics, added to a hello, ms",
        told,
        bare,
        (told.p50 - bare.p50) * 1e3,
        "<= 0.2",
    )


def hits(report: Report, count: int) -> None:
    """Answers out of the result cache, from memory and from Redis."""
    with tempfile.TemporaryDirectory() as directory, redis_server(Path(directory)) as redis:
        shared = ("results.memory_bytes=0", f"results.redis={redis.url}", SECRET)
        for level, flags, bar in (("memory", (), "<= 1.5"), ("redis", shared, "<= 2.5")):
            found = _hit(level, flags, count)
            report.row(f"result cache, hit in {level}, ms", found, "-", found.p50 * 1e3, bar)


def _hit(level: str, flags: tuple[str, ...], count: int) -> Sample:
    with serving(f"bench-{level}", *flags) as service:
        client = http.Client(service.port)
        message = http.request(service.port, HELLO, query="cache=true")

        def where() -> str:
            found: str = client.run(message)["cache"]["level"]
            return found

        assert where() == "none"
        service.await_true(lambda: where() == level, f"a hit in {level}")
        found = timed(lambda: client.run(message), count)
        assert where() == level
        return found


@contextmanager
def trivial() -> Iterator[int]:
    """The trivial handler, for the time of the context; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.trivial"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def cached_rate(report: Report, count: int) -> None:
    """Cached answers a second, beside a handler that does nothing."""
    with serving("bench-cached") as service, trivial() as port:
        http.Client(service.port).run(http.request(service.port, HELLO, query="cache=true"))
        ours, theirs = alternating(
            [
                (service.port, http.request(service.port, HELLO, query="cache=true")),
                (port, http.request(port, HELLO)),
            ],
            count,
        )
    report.row(
        "cached answers / trivial Starlette handler, 16 clients",
        f"{ours:.0f}/s",
        f"{theirs:.0f}/s",
        ours / theirs,
        ">= 0.7",
    )


def telling(report: Report, count: int) -> None:
    """Throughput with metrics and every run traced, against neither."""
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        off = stack.enter_context(serving("bench-off", "telemetry.metrics=false"))
        on = stack.enter_context(serving("bench-on", f"telemetry.otlp={receiver.url}"))
        silent, told = alternating(
            [(each.port, http.request(each.port, HELLO)) for each in (off, on)], count // CLIENTS
        )
    report.row(
        "throughput with metrics and tracing / without, 16 clients",
        f"{told:.0f}/s",
        f"{silent:.0f}/s",
        told / silent,
        ">= 0.95",
    )


def alternating(crowds: list[tuple[int, bytes]], each: int) -> list[float]:
    """Requests a second of several services that take turns: the medians of some rounds."""
    rates: list[list[float]] = [[] for _ in crowds]
    for number in range(ROUNDS + 1):
        for (port, message), found in zip(crowds, rates, strict=True):
            _, rate = http.crowd(port, message, CLIENTS, each)
            if number:  # the first round only warms up
                found.append(rate)
    return [median(found) for found in rates]


def records(report: Report, count: int) -> None:
    """Reading records of a caller who has many."""
    found: Sample = listing.pages(count)
    what = f"20 of {listing.RECORDS} records of one caller, ms"
    report.row(what, found, "-", found.p50 * 1e3, "<= 10")


def database_down(report: Report, count: int) -> None:
    """Records of runs under load, with the database away for a minute and the service killed."""
    kept = outage.kept_records("bench-outage", OUTAGE_SECONDS)
    for what, number in (("lost", kept.lost), ("doubled", kept.doubled)):
        name = f"records {what}: database down for {OUTAGE_SECONDS:g} s, then kill -9"
        report.row(name, number, f"{kept.answered} runs", number, "<= 0")


def corrupted(report: Report, count: int) -> None:
    """Answers of Redis and of the database, changed on purpose."""
    for where, found in (
        ("Redis", corruption.in_redis((SECRET,))),
        ("the database", corruption.of_the_database()),
    ):
        what = f"changed answers of {where} that were served"
        counted = f"{found.counted} of {found.tried} counted"
        report.row(what, found.served, counted, found.served, "<= 0")


ROWS = (records_and_metrics, hits, cached_rate, telling, records, database_down, corrupted)
"""Each adds its rows to the report; `count` is how many requests to send."""


if __name__ == "__main__":
    measured(ROWS, int(sys.argv[1]) if len(sys.argv) > 1 else 480)
