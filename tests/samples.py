"""Values that tests need and do not care about."""

from typing import Any

from soulbox_core import Image, Language
from soulbox_core.execution.plan import Allowance
from soulbox_core.model import (
    Caller,
    Limits,
    Outcome,
    RunRequest,
    SourceFile,
    Status,
    Step,
    Timings,
    Usage,
)
from soulbox_core.sandbox.port import Kind
from soulbox_core.settings import LimitSettings

SOURCE = SourceFile(path="main.lua", content=b"print('Hello, World!')")

CALLER = Caller(id="key:0123456789ab", scopes=frozenset(("execute",)))


def language(**changes: Any) -> Language:
    """A plain language, changed as told."""
    usual: dict[str, Any] = {
        "name": "lua",
        "title": "Lua",
        "image": Image(packages=("lua5.4",)),
        "source_file": "main.lua",
        "run": ("lua", "{entrypoint}"),
        "version": ("lua", "-v"),
        "hello": "print('Hello, World!')",
    }
    return Language(**(usual | changes))


def allowance(run: Limits | None = None, compiling: Limits | None = None) -> Allowance:
    """What the steps of a run may use: by default what everybody gets."""
    settings = LimitSettings()
    return Allowance(
        run=run or settings.default, compile=compiling or settings.compile, booted=settings.default
    )


def key(name: str, kind: Kind, step: Step) -> str:
    """A name for any artifact."""
    return "0123456789abcdef"


def request(**changes: Any) -> RunRequest:
    """A plain request, changed as told."""
    usual: dict[str, Any] = {"language": "lua", "files": (SOURCE,), "entrypoint": SOURCE.path}
    return RunRequest(**(usual | changes))


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
