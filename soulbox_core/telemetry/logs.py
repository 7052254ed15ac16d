"""How log lines are written: by structlog, as JSON or for people."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

from soulbox_core import request_id, trace_context

Line = MutableMapping[str, Any]

_OURS = ("soulbox", "soulbox_core")
"""Loggers above all that SoulBox has."""


def configure(level: str, form: Literal["console", "json"], stream: TextIO = sys.stderr) -> None:
    """From here on every log line of this process, libraries' too, is written like this.

    A line has its time (UTC), level, logger, and the ids of the request and trace that it is about.

    :param level: of SoulBox's own lines. Libraries tell no more than `info`: what they say for
        those who debug them has headers with keys in it, and what is sent to a database.
    """
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)
    )
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_ids,
        _on_one_line,
        structlog.processors.format_exc_info,
        _set_in,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    chosen = level.upper()
    logging.basicConfig(level=chosen, handlers=[handler], force=True)
    root = logging.getLogger()
    root.setLevel(max(root.level, logging.INFO))
    for name in _OURS:
        logging.getLogger(name).setLevel(chosen)
    logging.captureWarnings(True)  # Python's own would be lines of another form
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _add_ids(logger: object, method: str, line: Line) -> Line:
    """Say what request a line is about, if it is about one."""
    id = request_id.current()
    if id:
        line.setdefault("request_id", id)
    trace_id = trace_context.current().trace_id
    if trace_id:
        line.setdefault("trace_id", trace_id)
    return line


def _on_one_line(logger: object, method: str, line: Line) -> Line:
    """Escape what would let a text that is quoted look like a line of its own."""
    for name, value in line.items():
        if isinstance(value, str) and not value.isprintable():
            line[name] = _shown(value)
    return line


def _set_in(logger: object, method: str, line: Line) -> Line:
    """Have each line of a traceback begin with a space, as no log line does, and hold nothing that
    is not shown."""
    exception = line.get("exception")
    if isinstance(exception, str):
        lines = exception.replace("\t", "    ").splitlines()
        line["exception"] = "\n".join(f"  {_shown(one)}" for one in lines)
    return line


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
