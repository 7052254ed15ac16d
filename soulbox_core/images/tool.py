"""Runs one build tool and turns its failure into an `ImageError` that says what it said."""

import re
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence

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
) -> str:
    """Run a tool to its end and return the last line it printed.

    :param advice: what to do when it fails, to end the error message
    :param on_line: gets each line of stdout and stderr as it comes
    :raises ImageError: it is not installed or failed; the message ends with its last lines
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    try:
        process = subprocess.Popen(
            argv,
            env=env,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise ImageError(f"{argv[0]}: {error.strerror}; run: soulbox check") from None
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            for part in filter(None, map(bytes.strip, _LINE_END.split(raw))):
                line = part.decode(errors="replace")
                tail.append(line)
                on_line(line)
        code = process.wait()
    finally:
        _stop(process)
    if code:
        raise ImageError("\n".join((f"{argv[0]} failed; {advice}", *(f"  | {t}" for t in tail))))
    return tail[-1] if tail else ""


def succeeds(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether a tool exits with 0; what it prints is nobody's business."""
    done = subprocess.run(
        argv, env=env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode == 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let an interrupted tool clean up after itself: mmdebstrap removes its tree on SIGINT."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
