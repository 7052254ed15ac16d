"""Many runs leave no more behind than a few. The full count is in bench/leaks.py."""

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points

from tests.integration.census import census
from tests.integration.service import Service

FEW, MANY = 100, 600
SLACK = {
    # Empty leaves are kept for later, up to a fixed number (soulbox_core.sandbox.leaves).
    "cgroup directories": 4 * 32,
    "core descriptors": 10 * 32,
    "core KiB": 8192,
    "container PSS KiB": 4096,
    # Counted for the whole machine, where other things go on, and freed when the kernel likes.
    "memory cgroups the kernel keeps": 50,
}
PROGRAMS = (
    "print('hi')",
    "raise SystemExit(1)",
    "import os; os.kill(os.getpid(), 9)",
    "open('file', 'w').write('x')",
    "import os\nif os.fork() == 0:\n  os.setsid(); import time; time.sleep(100)",
    "import socket; socket.create_server(('127.0.0.1', 0)).accept()",
)


def test_many_runs_leave_no_more_than_few() -> None:
    # Without preloads: a parked cell that has rehearsed them is larger than one made in a hurry.
    # And without the others, whose runtimes and helpers take their time to settle.
    others = [one.name for one in entry_points(group="soulbox") if one.name != "python"]
    flags = (
        *("pool.container_cells=100000", "languages.python.preloads=[]", "log_level=warning"),
        f"plugins.blocked={json.dumps(others)}",
    )
    service = Service("test-leaks", *flags)
    try:
        _run(service, FEW, threads=24)  # the most at one time comes first
        before = _settled(service)
        _run(service, MANY - FEW, threads=8)
        after = _settled(service)
    finally:
        assert service.stop() == 0, service.said()
    grown = {
        name: (before[name], after[name])
        for name in before
        if after[name] > before[name] + SLACK.get(name, 0)
    }
    assert grown == {}


def _run(service: Service, count: int, threads: int) -> None:
    def one(number: int) -> None:
        code = PROGRAMS[number % len(PROGRAMS)]
        service.run(code, limits={"wall_seconds": 0.3}, outputs=["*"] if number % 3 else [])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(count)))


def _settled(service: Service) -> dict[str, int]:
    """The counts once the last cells are gone and the pool is full again."""
    found: dict[str, int] = {}

    def settled() -> bool:
        nonlocal found
        last, found = found, census(service)
        return last.get("container processes") == found["container processes"]

    service.await_true(settled, "the number of processes settles")
    return found
