"""From a file, the environment and flags to settings."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from soulbox_core.errors import SettingsError
from soulbox_core.settings.whole import Settings

PREFIX = "SOULBOX_"
_NOT_SETTINGS = frozenset({"SOULBOX_CONFIG", "SOULBOX_URL", "SOULBOX_KEY"})
"""The command line's own: where the settings file is, which service to talk to, and as whom."""


def load(
    file: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Iterable[str] = (),
) -> Settings:
    """Merge all sources into one object.

    :param file: a TOML file; None means no file
    :param env: usually `os.environ`
    :param flags: `dotted.key=value` strings
    :raises SettingsError: naming the source and the key or value at fault
    """
    merged = _from_file(file) if file else {}
    merged = _merge(merged, _from_pairs(_env_pairs(env or {})))
    merged = _merge(merged, _from_pairs(_flag_pairs(flags)))
    try:
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_say(str(error))) from None


def _say(message: str) -> str:
    """Turn msgspec's `... - at `$.pool`` into a sentence that begins with our key."""
    text, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    return f"{key}: {text[0].lower()}{text[1:]}" if key else f"{text[0].lower()}{text[1:]}"


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from None


def _env_pairs(env: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    for name, value in env.items():
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            yield name, name.removeprefix(PREFIX).lower().replace("__", "."), value


def _flag_pairs(flags: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    for flag in flags:
        key, equals, value = flag.partition("=")
        if not equals or not key:
            raise SettingsError(f"--set {flag}: write it as key=value, such as pool.parked=8")
        yield f"--set {key}", key.strip(), value


def _from_pairs(pairs: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for source, key, value in pairs:
        *parents, leaf = key.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise SettingsError(f"{source}: {parent} is set both as a value and as a table")
        node[leaf] = _literal(value, source)
    return tree


def _literal(value: str, source: str) -> Any:
    """A TOML list, table or quoted string as such; anything else stays text for msgspec.

    :raises SettingsError: it begins like one and is none; it is not quoted, since it may be secret
    """
    if value[:1] in ("[", "{", '"'):
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            raise SettingsError(
                f"{source} begins with {value[0]} and is not what TOML has for that; mend it, or"
                " put a text that begins so in quotes"
            ) from None
    return value


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        merged[key] = (
            _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return merged
