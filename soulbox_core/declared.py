"""Holds what a plugin declares against the types of its fields.

A struct's constructor does not look at types, and msgspec's own conversion knows nothing of
functions; so functions pass as they are, and everything else is converted.
"""

from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from soulbox_core.language import Boot, Compile, Dependencies, Image, Language, Option
from soulbox_core.model import SourceFile, Value

V = TypeVar("V", bound=Value)

_DECLARED = (Boot, Compile, Dependencies, Image, Language, Option, SourceFile)
_FUNCTIONS = {
    (Boot, "argv"): tuple[str, ...],
    (Language, "run"): tuple[str, ...],
    (Language, "env"): dict[str, str],
    (Language, "compile"): Compile | None,
    (Language, "compiler"): tuple[str, ...] | None,
}
"""The fields that may be a function, and what they are if they are none."""


def check(declared: V) -> V:
    """Return the same, with every value of its field's type.

    :raises ValueError: one is not, or cannot work; names the field
    """
    kind = type(declared)
    functions = {name: one for (of, name), one in _FUNCTIONS.items() if issubclass(kind, of)}
    hints = get_type_hints(kind) | functions
    fields = {}
    for name in declared.__struct_fields__:
        value = getattr(declared, name)
        let_be = callable(value) and name in functions
        fields[name] = value if let_be else _checked(name, value, hints[name])
    return kind(**fields)


def _checked(name: str, value: Any, kind: Any) -> Any:
    """A value of a field, or of the tuple that a field is."""
    kinds = get_args(kind) or (kind,)
    ours = next((one for one in kinds if one in _DECLARED), None)
    if ours is None:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise ValueError(f"{name}: {_lower(str(error))}") from None
    if get_origin(kind) is tuple:
        if not isinstance(value, tuple | list):
            raise ValueError(f"{name}: expected a tuple, got {value!r}")
        return tuple(_checked(name, one, ours) for one in value)
    if value is None and NoneType in kinds:
        return None
    if not isinstance(value, ours):
        raise ValueError(f"{name}: expected {ours.__name__}, got {value!r}")
    return check(value)


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
