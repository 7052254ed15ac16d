"""Query strings."""

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from soulbox_core.api.decoding import invalid
from soulbox_core.api.schema import AskedLimits, Options
from soulbox_core.errors import InvalidRequest, shown

_LIMITS = frozenset(AskedLimits.__struct_fields__)
_PARAMETERS = 1024
"""Most query parameters; the server's own bound on the URL comes first."""

S = TypeVar("S", bound=msgspec.Struct)


def options_from(query: bytes, names: frozenset[str] = frozenset()) -> Options:
    """Read the options of a run from a query string.

    :param names: the language's own options, which are parameters by their names
    :raises InvalidRequest: naming the parameter at fault
    """
    fields: dict[str, Any] = {}
    for name, value in _pairs(query):
        _put(fields, name, value, names)
    try:
        return msgspec.convert(fields, Options, strict=False)
    except msgspec.ValidationError as error:
        # A limit is a parameter of its own name here, not a part of `limits`.
        raise invalid(str(error).replace("`$.limits.", "`$."), root="query") from None


def query_as(query: bytes, kind: type[S]) -> S:
    """Read a query string whose parameters are the fields of a type, each once at most.

    :raises InvalidRequest: naming the parameter at fault
    """
    names = kind.__struct_fields__
    fields: dict[str, Any] = {}
    for name, value in _pairs(query):
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise InvalidRequest(
                f"unknown query parameter {shown(name)}; known: {known}", field="query"
            )
        _put_once(fields, name, value, f"query.{name}")
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(str(error), root="query") from None


def _pairs(query: bytes) -> Iterable[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_PARAMETERS,
        )
    except ValueError as error:
        # UnicodeDecodeError is one; so is having too many fields.
        raise InvalidRequest(f"query string: {error}", field="query") from None


def _put(fields: dict[str, Any], name: str, value: str, names: frozenset[str]) -> None:
    """Add a query parameter to the fields of an `Options`."""
    if name in ("args", "outputs", "dependencies", "mounts"):
        fields.setdefault(name, []).append(value)
    elif name == "network":
        fields.setdefault("network", {}).setdefault("allow", []).append(value)
    elif name == "env":
        variable, equals, text = value.partition("=")
        if not equals:
            raise InvalidRequest(f"env {shown(value)}: write it as NAME=VALUE", field="query.env")
        _put_once(fields.setdefault("env", {}), variable, text, "query.env")
    elif name in ("cache", "stdin", "encoding", "usage_events"):
        _put_once(fields, name, value, f"query.{name}")
    elif name in _LIMITS:
        _put_once(fields.setdefault("limits", {}), name, value, f"query.{name}")
    elif name in names:
        _put_once(fields.setdefault("options", {}), name, value, f"query.{name}")
    else:
        own = f"the language's options {', '.join(sorted(names))} " if names else ""
        raise InvalidRequest(
            f"unknown query parameter {shown(name)}; known: args, cache, dependencies, encoding, "
            f"env, mounts, network, outputs, stdin, usage_events, {own}and the limits "
            f"{', '.join(sorted(_LIMITS))}",
            field="query",
        )


def _put_once(fields: dict[str, Any], name: str, value: str, field: str) -> None:
    if name in fields:
        raise InvalidRequest(f"{shown(name)} is given twice", field=field)
    fields[name] = value
