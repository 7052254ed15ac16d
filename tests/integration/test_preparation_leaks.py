"""Compiles, installs and booted runtimes that end in every way leave nothing behind."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.integration.census import census
from tests.integration.patience import patient
from tests.integration.service import Service
from tests.integration.trial import trial_service

FEW, MANY = 60, 180
SLACK = {
    # As in test_leaks.
    "cgroup directories": 4 * 32,
    "core descriptors": 10 * 32,
    "core KiB": 16384,
    # asyncio's own pool, in which the stores write, makes one when all it has are busy, and keeps
    # it; it has at most so many (concurrent.futures.ThreadPoolExecutor).
    "core threads": min(32, (os.cpu_count() or 1) + 4),
    "container PSS KiB": 8192,
    "memory cgroups the kernel keeps": 50,
}
LEAVE = "import sys; open(sys.argv[1] + '/main.py', 'w').write('print(1)')\n"
COLD: dict[str, Any] = {"limits": {"memory_bytes": 200 << 20}}
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("booted", "print(1)", {}),
    ("booted", "import os; os.kill(os.getpid(), 9)", {"stdin": "x" * 100_000}),
    ("booted", "import time; time.sleep(9)", {"limits": {"wall_seconds": 0.2}}),
    ("booted", "print(1)", COLD),
    ("booted", "open('x', 'w').write('x')", {"outputs": ["x"]}),
    ("built", LEAVE, {}),
    ("built", LEAVE + "sys.exit(1)", {}),
    ("built", LEAVE + "import os; os.makedirs(sys.argv[1] + '/d' * 99)", {}),
    ("built", LEAVE + "open(sys.argv[1] + '/l', 'w').write('x' * (9 << 20))", {}),
    ("built", LEAVE + "import time; time.sleep(1)", {}),
    ("helped", "# ok", {}),
    ("helped", "# fail", {}),
    ("fetching", "print(1)", {"dependencies": ["package=@"]}),
    ("fetching", "print(1)", {"dependencies": ["package=@", "stop=1"]}),
    ("fetching", "print(1)", {"dependencies": ["package=@", "large=9999999"]}),
    ("fetching", "print(1)", {"dependencies": ["flood=50", "package=@"]}),
]


def test_many_preparations_leave_no_more_than_few() -> None:
    flags = (
        "pool.container_cells=100000",
        "log_level=warning",
        'languages.fetching.dependencies.hosts=["registry.test"]',
    )
    with trial_service("test-preparing", *flags) as service:
        _storm(service, FEW, threads=12)
        before = _settled(service)
        _storm(service, MANY, threads=6)
        after = _settled(service)
        unfinished = _store(service) / ".tmp"
        service.await_true(lambda: not [*unfinished.iterdir()], "nothing is half made")
        assert "Traceback" not in service.said()
        assert "ERROR" not in service.said()
    grown = {
        name: (before[name], after[name])
        for name in before
        if after[name] > before[name] + SLACK.get(name, 0)
    }
    assert grown == {}


def _storm(service: Service, count: int, threads: int) -> None:
    """Some clients wait for the end, and every third one leaves early."""
    dice = random.Random(count)

    def one(number: int) -> None:
        language, code, options = REQUESTS[number % len(REQUESTS)]
        unlike = uuid4().hex
        asked = {
            name: [str(each).replace("@", f"p{unlike}") for each in value]
            if isinstance(value, list)
            else value
            for name, value in options.items()
        }
        body = {"code": f"{code}\n# {unlike}", **asked}
        leaves = number % 3 == 0
        patience = dice.uniform(0.01, 0.6) if leaves else patient(60)
        try:
            response = httpx.post(f"{service.url}/v1/run/{language}", json=body, timeout=patience)
            assert response.status_code == 200, response.text + service.said()
        except httpx.TimeoutException:
            assert leaves

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(count)))


def _settled(service: Service) -> dict[str, int]:
    found: dict[str, int] = {}

    def settled() -> bool:
        nonlocal found
        last, found = found, census(service)
        return last.get("container processes") == found["container processes"]

    service.await_true(settled, "the number of processes settles", seconds=40)
    return found


def _store(service: Service) -> Path:
    base = os.environ.get("SOULBOX_STATE_DIR") or os.path.expanduser("~/.local/share/soulbox")
    return Path(base) / "instances" / service.instance / "store"
