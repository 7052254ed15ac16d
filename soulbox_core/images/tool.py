"""Runs one build tool and turns its failure into an `ImageError` that says what it said."""

import os
import re
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile

from soulbox_core.errors import ImageError

_TAIL_LINES = 15
_LINE_END = re.compile(rb"[\r\n]+")
_STOP_SECONDS = 10.0


def run(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    advice: str,
    on_line: Callable[[str], None] = lambda line: None,
    name: str | None = None,
    stdin: bytes = b"",
) -> str:
    """Run a tool to its end and return the last line it printed.

    :param advice: what to do when it fails, for the error message
    :param name: what to call it then, if not by its command
    :param stdin: all it can read there
    :param on_line: gets each line of stdout and stderr as it comes
    :raises ImageError: it is not installed or failed; the message ends with its last lines
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with _started(argv, env, stdin) as process:
        assert process.stdout is not None
        for raw in process.stdout:
            for part in filter(None, map(bytes.strip, _LINE_END.split(raw))):
                line = part.decode(errors="replace")
                tail.append(line)
                on_line(line)
        code = process.wait()
    if code:
        said = (f"  | {line}" for line in tail)
        raise ImageError("\n".join((f"{name or argv[0]} failed; {advice}", *said)))
    return tail[-1] if tail else ""


def output(argv: Sequence[str], env: Mapping[str, str], *, advice: str) -> bytes:
    """What a tool prints to stdout, apart from its warnings.

    :param advice: what to do when it fails, for the error message
    :raises ImageError: it is not installed or failed; the message ends with its last lines
    """
    try:
        done = subprocess.run(
            argv, env=env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise ImageError(f"{argv[0]}: {error.strerror}; run: soulbox check") from None
    if done.returncode:
        tail = done.stderr.decode(errors="replace").splitlines()[-_TAIL_LINES:]
        raise ImageError("\n".join((f"{argv[0]} failed; {advice}", *(f"  | {x}" for x in tail))))
    return done.stdout


def succeeds(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a tool exits with 0; what it prints is nobody's business."""
    done = subprocess.run(
        argv, env=env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode == 0


@contextmanager
def _started(
    argv: Sequence[str], env: Mapping[str, str], stdin: bytes
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a tool in a process group of its own, of which nothing is left afterwards."""
    with TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        try:
            process = subprocess.Popen(
                argv,
                env=env,
                cwd="/",
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        except OSError as error:
            raise ImageError(f"{argv[0]}: {error.strerror}; run: soulbox check") from None
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let an interrupted tool clean up after itself: mmdebstrap removes its tree on SIGINT.

    The whole group is told, as a terminal would, for `podman unshare` does not pass signals on;
    and waited for, until nobody holds the other end of the pipe.
    """
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
