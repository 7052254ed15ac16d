"""Values that tests need and do not care about."""

from typing import Any

from soulbox_core import Image, Language
from soulbox_core.model import RunRequest, SourceFile

SOURCE = SourceFile(path="main.lua", content=b"print('Hello, World!')")


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


def request(**changes: Any) -> RunRequest:
    """A plain request, changed as told."""
    usual: dict[str, Any] = {"language": "lua", "files": (SOURCE,), "entrypoint": SOURCE.path}
    return RunRequest(**(usual | changes))
