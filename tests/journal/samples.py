"""Reports that tests need and do not care about."""

from typing import Any

from soulbox_core.model import Limits
from soulbox_core.report import Report
from tests.samples import CALLER, outcome, request

NOW = 1_800_000_000.0


def report(id: str = "run-1", **changes: Any) -> Report:
    """The report of a hello, changed as told."""
    usual: dict[str, Any] = {
        "id": id,
        "request": request(),
        "caller": CALLER,
        "limits": Limits(),
        "began_at": NOW,
        "seconds": 0.8,
        "outcome": outcome(id=id),
    }
    return Report(**(usual | changes))
