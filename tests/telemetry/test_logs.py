import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any, Literal

import pytest
import structlog

from soulbox_core import request_id, trace_context
from soulbox_core.telemetry import logs
from soulbox_core.telemetry.run_log import RunLog
from tests.journal.samples import report
from tests.samples import SOURCE, outcome, request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01".encode()

Written = Callable[[], list[str]]


@pytest.fixture
def configured() -> Iterator[Callable[..., Written]]:
    """Configures logging for the time of a test."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    loggers = [root, *map(logging.getLogger, ("soulbox", "soulbox_core"))]
    levels = [logger.level for logger in loggers]

    def configure(form: Literal["console", "json"], level: str = "info") -> Written:
        stream = io.StringIO()
        logs.configure(level, form, stream)
        return lambda: stream.getvalue().splitlines()

    try:
        yield configure
    finally:
        root.handlers[:] = handlers
        for logger, before in zip(loggers, levels, strict=True):
            logger.setLevel(before)
        logging.captureWarnings(False)
        structlog.reset_defaults()


def parsed(written: Written) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written()]


def test_a_line_of_any_library_is_json(configured: Callable[..., Written]) -> None:
    written = configured("json")
    logging.getLogger("some.library").warning("said %d", 7)
    (line,) = parsed(written)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "said 7", "level": "warning", "logger": "some.library"}


def test_a_line_has_the_ids_of_its_request_and_trace(configured: Callable[..., Written]) -> None:
    written = configured("json")

    def served() -> None:
        request_id.begin("req-1")
        trace_context.begin(PARENT, None)
        RunLog().ended(report())
        logging.getLogger("x").info("y")

    copy_context().run(served)
    lines = parsed(written)
    assert len(lines) == 2
    for line in lines:
        assert (line["request_id"], line["trace_id"]) == ("req-1", TRACE)


def test_a_run_is_one_line_with_its_ids_and_figures(configured: Callable[..., Written]) -> None:
    written = configured("json")
    RunLog().ended(report())
    (line,) = parsed(written)
    assert line["event"] == "run"
    assert (line["logger"], line["level"]) == ("soulbox.runs", "info")
    assert (line["id"], line["language"], line["status"]) == ("run-1", "lua", "ok")
    assert line["caller"] == "key:0123456789ab"
    assert (line["queue_seconds"], line["cpu_seconds"]) == (0.1, 0.25)


def test_a_failure_of_ours_is_an_error_and_a_client_that_hangs_up_is_none(
    configured: Callable[..., Written],
) -> None:
    written = configured("json")
    RunLog().ended(report(outcome=None, failure="cell_lost"))
    RunLog().ended(report(outcome=None, failure="cancelled"))
    assert [(line["level"], line["status"]) for line in parsed(written)] == [
        ("error", "error"),
        ("info", "cancelled"),
    ]


@pytest.mark.parametrize("form", ["json", "console"])
def test_neither_code_nor_output_nor_input_is_ever_logged(
    configured: Callable[..., Written], form: str
) -> None:
    written = configured(form, "debug")
    secret = b"print('Hello, World!')"
    assert SOURCE.content == secret
    asked = request(stdin=secret, args=(secret.decode(),), env={"KEY": secret.decode()})
    came = outcome(stdout=secret, stderr=secret)
    RunLog().ended(report(request=asked, outcome=came, stdout=secret, stderr=secret))
    (line,) = written()
    assert "Hello" not in line


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_quoted_text_cannot_look_like_another_line(
    configured: Callable[..., Written], form: str
) -> None:
    written = configured(form)
    logging.getLogger("x").warning("no file %s", "a\n2026-11-30 [info] all is well\x1b[31m\u2028")
    (line,) = written()
    assert "\x1b" not in line


def test_a_traceback_is_there(configured: Callable[..., Written]) -> None:
    written = configured("json")
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    (line,) = parsed(written)
    assert "ValueError: why" in line["exception"]


def test_what_is_below_the_level_is_not_written(configured: Callable[..., Written]) -> None:
    written = configured("console", "warning")
    RunLog().ended(report())
    logging.getLogger("x").info("y")
    assert written() == []


def test_what_libraries_say_for_debugging_is_never_written(
    configured: Callable[..., Written],
) -> None:
    """hpack, for one, tells each header that it reads, and websockets each message."""
    written = configured("json", "debug")
    logging.getLogger("hpack.hpack").debug("Decoded %s", (b"authorization", b"Bearer sbx_1_2"))
    logging.getLogger("some.library").info("hello")
    for name in ("soulbox.api", "soulbox_core.x"):
        logging.getLogger(name).debug("ours")
    told = [(line["logger"], line["event"]) for line in parsed(written)]
    assert told == [
        ("some.library", "hello"),
        ("soulbox.api", "ours"),
        ("soulbox_core.x", "ours"),
    ]


def test_a_warning_of_pythons_is_a_line_too(configured: Callable[..., Written]) -> None:
    written = configured("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("something is old", UserWarning, stacklevel=1)
    (line,) = parsed(written)
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "something is old" in line["event"]
