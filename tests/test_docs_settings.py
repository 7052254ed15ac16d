"""docs/operating.md tells every setting, with the default it really has."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from soulbox_core.settings import LanguageSettings, PolicySettings, Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "operating.md"
CELLS = re.compile(r"\| `([a-z_.<>]+)` \| ([^|]+?) (?=\|)")
"""A key and, in the next cell, its default."""

TABLES = {"languages": LanguageSettings(), "policies": PolicySettings()}
"""Settings that are tables by name."""


def defaults(struct: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every dotted key below a struct, and its default."""
    for name in struct.__struct_fields__:
        value = getattr(struct, name)
        if not prefix and name in TABLES:
            yield from defaults(TABLES[name], f"{name}.<name>.")
        elif isinstance(value, msgspec.Struct):
            yield from defaults(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def written(key: str, value: object) -> str:
    """A default as the document writes it."""
    if value in ("", (), None) or value == {}:
        return "-"
    if key == "state_dir":
        return "`~/.local/share/soulbox`"
    if key.endswith("bytes") and isinstance(value, int) and value:
        units = {30: "GiB", 20: "MiB", 10: "KiB"}
        shift = next(shift for shift in units if value % (1 << shift) == 0)
        return f"{value >> shift} {units[shift]}"
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
