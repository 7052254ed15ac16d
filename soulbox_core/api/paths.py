"""Which paths a caller may name: relative, POSIX, and never out of the working directory."""

import re
from collections.abc import Iterator, Sequence

from soulbox_core.errors import InvalidRequest, shown

PART_BYTES = 255
"""NAME_MAX of every Linux file system."""
PATH_BYTES = 4095
"""PATH_MAX, less its terminating NUL."""
DEPTH = 64
"""Most parts: a directory is made for each but the last."""

_PART = r"(?!\.{1,2}(?:/|$))[^/\u0000-\u001f\u007f-\u009f]{1,255}"
PATTERN = rf"^{_PART}(?:/{_PART})*$"
"""The rule but for its byte counts, in the dialect that JSON Schema and Python share.

Control characters are left out so that a path can be printed and logged as it is.
"""

_PATH = re.compile(PATTERN)
_RULE = (
    "must be relative, without empty, '.' or '..' parts and control characters, "
    f"of at most {DEPTH} parts of {PART_BYTES} bytes and {PATH_BYTES} bytes in all"
)


def check_path(path: str, field: str) -> None:
    """Let a path or glob through, or refuse it.

    :raises InvalidRequest: it could leave the working directory, or no file can be named so
    """
    if not _is_safe(path):
        raise InvalidRequest(f"path {shown(path)} {_RULE}", field=field)


def _is_safe(path: str) -> bool:
    # `$` also matches before a last newline in Python: fullmatch does not.
    if not _PATH.fullmatch(path):
        return False
    parts = path.split("/")
    return (
        len(parts) <= DEPTH
        and len(path.encode()) <= PATH_BYTES
        and all(len(part.encode()) <= PART_BYTES for part in parts)
    )


def check_tree(paths: Sequence[str], field: str) -> None:
    """Refuse a set of files in which one would have to be a directory for another.

    :raises InvalidRequest: naming both
    """
    names = set(paths)
    for path in paths:
        for parent in _parents(path):
            if parent in names:
                raise InvalidRequest(
                    f"{shown(parent)} is a file and also the directory of {shown(path)}",
                    field=field,
                )


def _parents(path: str) -> Iterator[str]:
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)
