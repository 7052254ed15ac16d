"""Reports that tests need and do not care about."""

from typing import Any

from soulbox_core.model import Limits, Outcome, Status, Timings, Usage
from soulbox_core.report import Report
from tests.samples import CALLER, request

NOW = 1_800_000_000.0


def outcome(**changes: Any) -> Outcome:
    """What came of a hello, changed as told."""
    usual: dict[str, Any] = {
        "id": "run-1",
        "language": "lua",
        "status": Status.OK,
        "exit_code": 0,
        "signal": None,
        "stdout": b"",
        "stderr": b"",
        "truncated": (),
        "usage": Usage(wall_seconds=0.5, cpu_seconds=0.25, memory_peak_bytes=1 << 20),
        "timings": Timings(
            queue_seconds=0.1,
            install_seconds=None,
            compile_seconds=None,
            claim_seconds=0.2,
            run_seconds=0.5,
        ),
        "output_files": (),
        "outputs_missing": (),
        "outputs_skipped": (),
    }
    return Outcome(**(usual | changes))


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
