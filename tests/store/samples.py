"""Records that tests need and do not care about."""

from typing import Any
from uuid import UUID

from soulbox_core.model import Timings, Usage
from soulbox_core.store.records import ApiKey, Content, Execution, ExecutionQuery, Family

NOW = 1_800_000_000.0
TODAY = "2027-01-15"
CALLER = "key:0123456789ab"
EVERYTHING = ExecutionQuery(caller=CALLER, limit=1000)


def api_key(**changes: Any) -> ApiKey:
    usual: dict[str, Any] = {
        "id": "0123456789ab",
        "digest": "00" * 32,
        "name": "mine",
        "scopes": ("execute",),
        "policy": "default",
        "created_at": NOW,
    }
    return ApiKey(**(usual | changes))


def family(**changes: Any) -> Family:
    usual: dict[str, Any] = {
        "id": "f1",
        "session": "s1",
        "key_id": "0123456789ab",
        "scopes": ("execute",),
        "digest": "11" * 32,
        "created_at": NOW,
        "expires_at": NOW + 100.0,
    }
    return Family(**(usual | changes))


def run_id(at: float, number: int = 0) -> str:
    """The id of a run that is accepted at a time."""
    return str(UUID(int=int(at * 1000) << 80 | 7 << 76 | 2 << 62 | number))


def execution(number: int = 0, **changes: Any) -> Execution:
    """A run's record; each number is a second later than the one before."""
    at = changes.get("created_at", NOW + number)
    usual: dict[str, Any] = {
        "id": run_id(at, number),
        "caller": "key:0123456789ab",
        "language": "python",
        "status": "ok",
        "created_at": at,
        "node": "main-1",
        "request_id": "r" * 32,
        "exit_code": 0,
        "usage": Usage(wall_seconds=0.5, cpu_seconds=0.25, memory_peak_bytes=1 << 20),
        "charged_cpu_seconds": 0.25,
        "timings": Timings(
            queue_seconds=0.0,
            install_seconds=None,
            compile_seconds=None,
            claim_seconds=0.001,
            run_seconds=0.5,
        ),
    }
    return Execution(**(usual | changes))


def content() -> Content:
    return Content(
        files={"main.py": b"print(1)\xff"},
        args=("a", "-b"),
        stdin=b"\x00in",
        stdout=b"1\n",
        stderr=b"",
        truncated=True,
    )
