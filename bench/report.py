"""What was measured against its bar, and the service that it was measured on."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from bench.measure import Sample
from tests.integration.service import Service


class Report:
    """Rows of what was measured against its bar."""

    def __init__(self) -> None:
        self._table = Table("what", "measured", "baseline", "ratio or value", "bar", "")
        self.missed = 0

    def row(self, what: str, measured: object, base: object, value: float, bar: str) -> None:
        """:param bar: such as '<= 2' or '>= 15', held against `value`"""
        sign, bound = bar.split()
        met = value <= float(bound) if sign == "<=" else value >= float(bound)
        self.missed += not met
        mark = "met" if met else "MISSED"
        self._table.add_row(what, str(measured), str(base), f"{value:.2f}", bar, mark)

    def ratio(self, what: str, measured: Sample, base: Sample, bar: str) -> None:
        """A row whose value is the quotient of the medians."""
        self.row(what, measured, base, measured.p50 / base.p50, bar)

    def rates(self, what: str, measured: float, base: float) -> None:
        """A row that is only shown: runs a second beside those of the bare toolchain."""
        name = f"{what} at 8 clients / bare at 8 processes"
        self._table.add_row(
            name, f"{measured:.0f}/s", f"{base:.0f}/s", f"{measured / base:.2f}", "shown", ""
        )

    def show(self) -> None:
        Console(width=150).print(self._table)


def measured(rows: Iterable[Callable[[Report, int], None]], count: int) -> int:
    """Have each add its rows, and show them all.

    :param count: how many requests to send
    :return: how many bars were missed
    """
    report = Report()
    for row in rows:
        row(report, count)
    report.show()
    return report.missed


@contextmanager
def served(name: str, *flags: str) -> Iterator[tuple[Service, float]]:
    """A service, and the seconds until it was ready."""
    start = time.perf_counter()
    service = Service(name, "log_level=warning", *flags)
    seconds = time.perf_counter() - start
    try:
        yield service, seconds
    finally:
        service.stop()
