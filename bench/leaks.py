"""What 10,000 runs in a row leave behind, against what 100 do: `scripts/bench leaks [COUNT]`."""

import sys
import time

from rich.console import Console
from rich.table import Table

from bench import http
from tests.integration.census import census
from tests.integration.service import Service

FEW = 100


def main(many: int) -> None:
    service = Service("bench-leaks", "log_level=warning")
    client = http.Client(service.port)
    message = http.request(service.port, 'print("hi")')
    try:
        _run(client, message, FEW)
        before = census(service)
        start = time.perf_counter()
        _run(client, message, many - FEW)
        seconds = time.perf_counter() - start
        time.sleep(2)
        after = census(service)
    finally:
        service.stop()
    table = Table("what", f"after {FEW} runs", f"after {many} runs")
    for name, count in before.items():
        table.add_row(name, str(count), str(after[name]))
    Console().print(table)
    print(f"{(many - FEW) / seconds:.0f} runs a second")


def _run(client: http.Client, message: bytes, count: int) -> None:
    for _ in range(count):
        client.run(message)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
