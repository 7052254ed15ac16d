"""soulbox run: run a local file through a service, as if it ran here."""

import signal
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import httpx
import msgspec
import typer

from soulbox_core.cli import client
from soulbox_core.cli.client import ServiceError
from soulbox_core.model import Status

app = typer.Typer()

SERVICE_FAILED = 125
"""Exit code when it was not the program that failed, as `docker run` and `env` use it."""
TIMED_OUT = 124
"""Exit code of timeout(1)."""
_KILLED = 128 + signal.SIGKILL
_INTERRUPTED = 128 + signal.SIGINT
_BROKEN_PIPE = 128 + signal.SIGPIPE
_STDIN_BYTES = 64 << 20
"""Most of stdin that is read; the service has a bound of its own, request_bytes."""

_EXIT_CODES = {
    Status.WALL_TIME_EXCEEDED: TIMED_OUT,
    Status.CPU_TIME_EXCEEDED: TIMED_OUT,
    Status.MEMORY_EXCEEDED: _KILLED,
    Status.OUTPUT_EXCEEDED: _KILLED,
}
_SILENT = (Status.OK, Status.FAILED)


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the stream; which fields are there depends on `event`."""

    event: str
    data: str = ""
    detail: str = ""
    status: Status = Status.FAILED
    exit_code: int | None = None
    signal: str | None = None


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The program.", exists=True, dir_okay=False)],
    args: Annotated[list[str] | None, typer.Argument(help="Its arguments, after --.")] = None,
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="Instead of going by the file's name.")
    ] = None,
    url: client.Url = client.DEFAULT_URL,
) -> None:
    """Run FILE, stream its output, and exit as it does.

    Exits with 124 when a time limit ended the program, with 137 when it was killed for memory
    or output, with 128 + n when signal n ended it, and with 125 when the service failed.
    """
    try:
        code = _run(file, args or [], language, url)
    except ServiceError as error:
        typer.echo(f"soulbox: {error}", err=True)
        code = SERVICE_FAILED
    except KeyboardInterrupt:
        code = _INTERRUPTED  # the connection is closed by now, and that kills the program
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads; Python would complain once more at exit
        code = _BROKEN_PIPE
    raise typer.Exit(code)


def _run(file: Path, args: list[str], language: str | None, url: str) -> int:
    request = {
        "code": _content(file.read_bytes()),
        "entrypoint": file.name,
        "args": args,
        "stdin": _content(_stdin()),
        "encoding": "base64",
    }
    with client.connect(url) as http:
        name = language or _language_of(file, http)
        return _follow(_events(http, name, request))


def _content(data: bytes) -> object:
    """Program data as the API takes it: text, or base64 for what is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode("ascii")}


def _stdin() -> bytes:
    """All of stdin, unless a person sits at it."""
    if sys.stdin is None or sys.stdin.isatty():
        return b""
    data = sys.stdin.buffer.read(_STDIN_BYTES + 1)
    if len(data) > _STDIN_BYTES:
        raise ServiceError(f"stdin has more than {_STDIN_BYTES} bytes")
    return data


def _language_of(file: Path, http: httpx.Client) -> str:
    """The language whose source files have this file's suffix.

    :raises ServiceError: none has
    """
    known = client.languages(http).languages
    for one in known:
        if file.suffix and one.runs(file.suffix):
            return one.name
    names = ", ".join(one.name for one in known) or "none"
    raise ServiceError(f"no language for {file.name!r}; name one with --language: {names}")


def _events(http: httpx.Client, language: str, request: object) -> Iterator[_Event]:
    headers = {"content-type": "application/json", "accept": "application/x-ndjson"}
    body = msgspec.json.encode(request)
    try:
        with http.stream("POST", f"/v1/run/{language}", content=body, headers=headers) as response:
            client.check(response)
            for line in response.iter_lines():
                yield msgspec.json.decode(line, type=_Event)
    except httpx.HTTPError as error:
        raise client.unreachable(http, error) from None
    except msgspec.MsgspecError as error:
        raise ServiceError(f"{http.base_url} does not answer like SoulBox: {error}") from None


def _follow(events: Iterator[_Event]) -> int:
    """Pass the output on as it comes; return the exit code."""
    outputs = {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer}
    for event in events:
        if event.event in outputs:
            _write(outputs[event.event], b64decode(event.data))
        elif event.event == "error":
            raise ServiceError(event.detail)
        elif event.event == "result":
            return _exit_code(event)
    raise ServiceError("the service ended the stream without a result")


def _write(output: BinaryIO, data: bytes) -> None:
    output.write(data)
    output.flush()


def _exit_code(result: _Event) -> int:
    if result.status not in _SILENT:
        reason = f" by {result.signal}" if result.status is Status.SIGNALED else ""
        typer.echo(f"soulbox: the program ended: {result.status}{reason}", err=True)
    if result.status in _EXIT_CODES:
        return _EXIT_CODES[result.status]
    if result.exit_code is not None:
        return result.exit_code
    number = signal.Signals.__members__.get(result.signal or "", signal.SIGKILL)
    return 128 + number
