"""Bring files back from a cell whose program has ended.

The reader runs as the cell's user inside the jail, after everything else in the cell was
killed: nothing it opens can change under it, and it can read no more than the program could.
Only regular files are read, links at the end of a path are not followed.
"""

from __future__ import annotations

import fnmatch
import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

from . import cell, jail, kernel, program

MAX_FILES = 256
MAX_ENTRIES = 20_000
_CHUNK_BYTES = 1 << 16
_LOOK_SECONDS = 0.001


def main(request: dict[str, Any], init: int, output: int, uid: int, seccomp: bytes) -> None:
    """Enter the cell from outside, and have a child in its PID namespace do the work."""
    cell.enter_namespaces(init)
    kernel.setns(init, kernel.CLONE_NEWPID)
    child = os.fork()
    if child:
        os.close(output)
        os.waitpid(child, 0)
        return
    try:
        _kill_the_rest()
        kernel.drop_bounding_set()
        program.become_harmless(uid, {}, seccomp)
        with open(output, "wb") as stream:
            os.chdir(request["top"] or jail.WORKDIR)
            patterns = None if request["top"] else request["patterns"]
            _write(patterns, request["budget"], request["files"], stream)
    finally:
        os._exit(0)


def _kill_the_rest() -> None:
    """Kill every process of the cell but its init, and wait until they are gone."""
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(_LOOK_SECONDS)


def _write(patterns: list[str] | None, budget: int, most: int, stream: BinaryIO) -> None:
    """Write a JSON line and the content for each file, and a last line for what is not there.

    :param patterns: None brings every file
    :param most: files
    """
    order = patterns or []
    missing, skipped = set(order), []
    sent = 0
    split = [(pattern, _parts(pattern)) for pattern in order]
    for path, size in _regular_files(".", max(MAX_ENTRIES, 2 * most)):
        matched = [pattern for pattern, parts in split if _matches(path.split("/"), parts)]
        if not matched and patterns is not None:
            continue
        missing.difference_update(matched)
        if size > budget or sent == most or not _is_text(path):
            skipped.append(path.encode(errors="replace").decode())
            continue
        sent += 1
        budget -= size
        _write_file(path, size, stream)
    rest = {"missing": sorted(missing, key=order.index), "skipped": skipped[:MAX_FILES]}
    stream.write(json.dumps(rest).encode() + b"\n")


def _regular_files(top: str, most: int) -> Iterator[tuple[str, int]]:
    """Path and size of readable regular files below a directory, in order of their paths.

    No link is followed, and only so many entries are looked at: a program may leave any tree.
    """
    left = most
    waiting = [top]
    while waiting:
        path = waiting.pop()
        try:
            with os.scandir(path) as found:
                entries = sorted(itertools.islice(found, left), key=lambda e: e.name)
        except OSError:
            continue
        left -= len(entries)
        directories = []
        for entry in entries:
            name = entry.path[len(top) + 1 :]
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.path)
            elif entry.is_file(follow_symlinks=False) and os.access(entry.path, os.R_OK):
                yield name, entry.stat(follow_symlinks=False).st_size
        waiting.extend(reversed(directories))


def _parts(pattern: str) -> list[str]:
    """The pattern's parts; several `**` in a row say no more than one."""
    parts: list[str] = []
    for part in pattern.split("/"):
        if part != "**" or parts[-1:] != ["**"]:
            parts.append(part)
    return parts


def _matches(path: list[str], pattern: list[str]) -> bool:
    """Match as glob does: `**` is any number of directories, a leading dot is matched by itself.

    Keeps the set of places in the pattern that the path so far can have led to, so that no
    pattern makes it slow.
    """
    places = _skips({0}, pattern)
    for part in path:
        reached = set()
        for place in places:
            if place == len(pattern):
                continue
            if pattern[place] == "**":
                if not part.startswith("."):
                    reached.add(place)
            elif _part_matches(part, pattern[place]):
                reached.add(place + 1)
        places = _skips(reached, pattern)
    return len(pattern) in places or (pattern[-1] == "**" and len(pattern) - 1 in places)


def _skips(places: set[int], pattern: list[str]) -> set[int]:
    """Add the places behind each `**`, which may stand for no directory at all."""
    return places | {p + 1 for p in places if p < len(pattern) and pattern[p] == "**"}


def _part_matches(part: str, pattern: str) -> bool:
    if part.startswith(".") and not pattern.startswith("."):
        return False
    return fnmatch.fnmatchcase(part, pattern)


def _is_text(path: str) -> bool:
    """Whether JSON can carry the name: a file's name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _write_file(path: str, size: int, stream: BinaryIO) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        stream.write(json.dumps({"path": path, "size": size}).encode() + b"\n")
        while size and (chunk := file.read(min(size, _CHUNK_BYTES))):
            stream.write(chunk)
            size -= len(chunk)
