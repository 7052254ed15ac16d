"""Bring files back from a cell whose program has ended.

The reader runs as the cell's user inside the jail, after everything else in the cell was
killed: nothing it opens can change under it, and it can read no more than the program could.
Only regular files are read, links at the end of a path are not followed.
"""

from __future__ import annotations

import glob
import json
import os
import signal
import socket
import stat
from typing import Any, BinaryIO

from . import program, wire

MAX_FILES = 256


def serve(sock: socket.socket, uid: int, seccomp: bytes) -> None:
    """Answer the core's requests for files until it hangs up."""
    while True:
        try:
            request, (output,) = wire.receive(sock)
        except wire.Closed:
            return
        _kill_the_rest()
        child = os.fork()
        if child == 0:
            _be_reader(request, output, uid, seccomp)
        os.close(output)
        os.waitpid(child, 0)


def _kill_the_rest() -> None:
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _be_reader(request: dict[str, Any], output: int, uid: int, seccomp: bytes) -> None:
    code = 1
    try:
        program.give_up_privileges(uid, seccomp)
        with open(output, "wb") as stream:
            _write(request["patterns"], request["budget"], stream)
        code = 0
    finally:
        os._exit(code)


def _write(patterns: list[str], budget: int, stream: BinaryIO) -> None:
    """Write a JSON line and the content for each file, and a last line for what is not there."""
    missing, skipped = [], []
    seen: dict[str, int] = {}
    for pattern in patterns:
        sizes = {path: _regular_size(path) for path in glob.iglob(pattern, recursive=True)}
        found = {path: size for path, size in sorted(sizes.items()) if size is not None}
        if not found:
            missing.append(pattern)
        for path, size in found.items():
            if path in seen:
                continue
            seen[path] = size
            if size > budget or len(seen) > MAX_FILES or not _is_text(path):
                skipped.append(path.encode(errors="replace").decode())
            else:
                budget -= size
                _write_file(path, size, stream)
    stream.write(json.dumps({"missing": missing, "skipped": skipped[:MAX_FILES]}).encode() + b"\n")


def _is_text(path: str) -> bool:
    """Whether JSON can carry the name: a file's name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _regular_size(path: str) -> int | None:
    try:
        status = os.lstat(path)
        readable = os.access(path, os.R_OK)
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) and readable else None


def _write_file(path: str, size: int, stream: BinaryIO) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        stream.write(json.dumps({"path": path, "size": size}).encode() + b"\n")
        stream.write(file.read(size))
