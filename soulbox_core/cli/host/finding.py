"""What a check of the host found."""

from enum import StrEnum

from soulbox_core.model import Value


class Level(StrEnum):
    """How bad it is."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    WARN = "WARN"
    """It works, but worse than it could."""
    FAIL = "FAIL"
    """The service would not start, or could not keep its promises."""


class Finding(Value):
    """One condition of the host."""

    level: Level
    name: str
    detail: str
    fix: str = ""
    """The command that mends it."""


def passed(name: str, detail: str) -> Finding:
    """The condition holds."""
    return Finding(level=Level.PASS, name=name, detail=detail)


def warned(name: str, detail: str, fix: str) -> Finding:
    """It would be better otherwise."""
    return Finding(level=Level.WARN, name=name, detail=detail, fix=fix)


def failed(name: str, detail: str, fix: str) -> Finding:
    """It does not hold."""
    return Finding(level=Level.FAIL, name=name, detail=detail, fix=fix)
