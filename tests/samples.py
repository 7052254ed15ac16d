"""Values that tests need and do not care about."""

from typing import Any

from soulbox_core import Image, Language
from soulbox_core.execution.plan import Allowance
from soulbox_core.model import Caller, Limits, RunRequest, SourceFile, Step
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
