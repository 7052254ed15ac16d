"""What goes over the wire about the result cache."""

from typing import Annotated

from msgspec import Meta

from soulbox_core.model import Value

CALLER_CHARACTERS = 4096
"""Longest id of a caller that is looked for."""


class DropQuery(Value):
    """Whose answers are to be removed."""

    caller: Annotated[str, Meta(min_length=1, max_length=CALLER_CHARACTERS)]


class DropAnswer(Value):
    """What was removed."""

    removed: int
