"""docs/operating.md tells every setting, with the default it really has."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from soulbox_core.settings import LanguageSettings, Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "operating.md"
CELLS = re.compile(r"\| `([a-z_.<>]+)` \| ([^|]+?) (?=\|)")
"""A key and, in the next cell, its default."""


def defaults(struct: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every dotted key below a struct, and its default."""
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if name == "languages":
            yield from defaults(LanguageSettings(), "languages.<name>.")
        elif isinstance(value, msgspec.Struct):
            yield from defaults(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def written(key: str, value: object) -> str:
    """A default as the document writes it."""
    if value in ("", (), None):
        return "-"
    if key == "state_dir":
        return "`~/.local/share/soulbox`"
    if key.endswith("_bytes") and isinstance(value, int) and value:
        size, unit = (value >> 30, "GiB") if value % (1 << 30) == 0 else (value >> 20, "MiB")
        return f"{size} {unit}"
    if key.endswith("_seconds"):
        return f"{value:g} s"
    if isinstance(value, tuple):
        return f"`{msgspec.json.encode(value).decode()}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str) else f"{value:g}"


DEFAULTS = dict(defaults(Settings()))


@pytest.mark.parametrize("key", DEFAULTS)
def test_setting_is_documented_with_its_default(key: str) -> None:
    documented = dict(CELLS.findall(DOCUMENT.read_text()))
    assert documented.get(key) == written(key, DEFAULTS[key])


def test_no_setting_is_documented_that_is_not_there() -> None:
    assert set(dict(CELLS.findall(DOCUMENT.read_text()))) <= set(DEFAULTS)
