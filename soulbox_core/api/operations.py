"""What OpenAPI says of each route, by the route's name."""

from collections.abc import Mapping
from typing import Any

from soulbox_core.api.problems import MEDIA_TYPE
from soulbox_core.api.streams import EVENT_STREAM, JSON, NDJSON
from soulbox_core.language import NAME

JsonObject = dict[str, Any]

RUN_PROBLEMS = (400, 401, 403, 404, 408, 413, 415, 421, 422, 429, 431, 500, 503)
ANY_PROBLEMS = (400, 401, 403, 421, 429, 431, 500)
"""What every path may answer."""

HELLO = 'print("Hello, World!")\n'

_RUN = """
A body that is not JSON is the source itself, whatever its type; its options are query
parameters. A JSON body holds `code` or `files`, and its options; then there are no query
parameters.

What the program does is never an HTTP error: `status` in the answer tells. If the client goes
away, the program is killed at once.

With `Accept: text/event-stream` or `application/x-ndjson` the run is told as it happens:
`started`, `stdout` and `stderr` with `data`, then `result`; or `error`, if the service fails
after the start.

The same path is a WebSocket, for a run whose stdin is open: the first message is the JSON
request, the next ones are binary or `{"stdin": ...}`, and `{"eof": true}` ends stdin.
"""


def ref(kind: str, name: str) -> JsonObject:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def json_of(schema: str) -> JsonObject:
    """JSON content of a schema."""
    return {JSON: {"schema": ref("schemas", schema)}}


def gives(description: str, content: JsonObject) -> JsonObject:
    """A response object."""
    return {
        "description": description,
        "headers": {"x-request-id": ref("headers", "RequestId")},
        "content": content,
    }


def problems(*statuses: int) -> JsonObject:
    """The responses of these statuses."""
    return {str(status): ref("responses", f"Problem{status}") for status in statuses}


def _get(summary: str, description: str, content: JsonObject) -> JsonObject:
    return {
        "summary": summary,
        "parameters": [ref("parameters", "RequestId")],
        "responses": {"200": gives(description, content)} | problems(*ANY_PROBLEMS),
    }


_IDEMPOTENCY_KEY: JsonObject = {
    "name": "idempotency-key",
    "in": "header",
    "description": "Run it once, however often it is sent; an answer that was given before has"
    " `idempotency-replayed: true`.",
    "schema": {"type": "string", "pattern": "^[!#-~]{1,255}$"},
}


def _run(options: list[JsonObject]) -> JsonObject:
    language = {
        "name": "language",
        "in": "path",
        "required": True,
        "description": "Name or alias of a language.",
        "schema": {"type": "string", "pattern": f"^{NAME.pattern}$"},
        "example": "python",
    }
    text = {"schema": {"type": "string"}, "example": HELLO}
    octets = {"schema": {"type": "string", "format": "binary"}, "example": HELLO}
    events = {
        "schema": {"type": "string"},
        "x-event-schema": ref("schemas", "Event"),
    }
    return {
        "summary": "Run a program",
        "description": _RUN.strip(),
        "parameters": [language, *options, _IDEMPOTENCY_KEY, ref("parameters", "RequestId")],
        "requestBody": {
            "description": "A program: as JSON, or the source itself.",
            "content": {
                JSON: {"schema": ref("schemas", "RunBody"), "example": {"code": HELLO}},
                "text/plain": text,
                "application/octet-stream": octets,
            },
        },
        "responses": {
            "200": gives(
                "What came of the run.",
                json_of("Answer") | {EVENT_STREAM: events, NDJSON: events},
            )
        }
        | problems(*RUN_PROBLEMS),
    }


def _readiness() -> JsonObject:
    operation = _get("Whether a run would start at once", "It would.", json_of("Readiness"))
    operation["responses"]["503"] = gives("Some language is not ready yet.", json_of("Readiness"))
    return operation


def operations(options: list[JsonObject]) -> Mapping[str, JsonObject]:
    """An OpenAPI operation object for each route.

    :param options: the query parameters of a run
    """
    html = {"text/html": {"schema": {"type": "string"}}}
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "run": _run(options),
        "languages": _get("What can be run here", "The languages.", json_of("Languages")),
        "healthz": _get("Whether the process answers", "It does.", json_of("Liveness")),
        "readyz": _readiness(),
        "openapi": _get("This document", "OpenAPI 3.1.", {JSON: {"schema": {"type": "object"}}}),
        "docs": _get("This document, for people", "A page.", html),
        "metrics": _get("What the service counts", "Prometheus' text format.", text),
    }


def problem_response(description: str) -> JsonObject:
    """A response that is problem details."""
    return gives(description, {MEDIA_TYPE: {"schema": ref("schemas", "Problem")}})
