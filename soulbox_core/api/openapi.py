"""/openapi.json: generated from the routes and from the types that are really read and written."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from soulbox_core.api import events, executions_schema, identity_schema, results_schema, schema
from soulbox_core.api.executions_operations import executions_operations
from soulbox_core.api.identity_operations import identity_operations
from soulbox_core.api.operations import RUN_PROBLEMS, JsonObject, operations, problem_response
from soulbox_core.api.problems import HTTP_STATUSES, TABLE, Problem, Row, http_row
from soulbox_core.api.results_operations import results_operations
from soulbox_core.settings import LimitSettings, Settings

_TYPES = (
    schema.RunBody,
    schema.Answer,
    schema.Languages,
    schema.Liveness,
    schema.Readiness,
    schema.ClientMessage,
    Problem,
    identity_schema.TokenBody,
    identity_schema.RefreshBody,
    identity_schema.RevokeBody,
    identity_schema.KeyBody,
    identity_schema.TokenAnswer,
    identity_schema.Revoked,
    identity_schema.RotateAnswer,
    identity_schema.KeySet,
    identity_schema.KeyInfo,
    identity_schema.KeyList,
    identity_schema.KeyAnswer,
    executions_schema.ExecutionList,
    executions_schema.ExecutionAnswer,
    executions_schema.UsageAnswer,
    results_schema.DropAnswer,
)
_EVENTS = (
    events.StartedEvent,
    events.StdoutEvent,
    events.StderrEvent,
    events.UsageEvent,
    events.ResultEvent,
    events.ErrorEvent,
)
_TEMPLATE = "#/components/schemas/{name}"


def document(routes: Iterable[tuple[str, str, str, str | None]], settings: Settings) -> JsonObject:
    """The OpenAPI 3.1 document, with this operator's limits in it.

    :param routes: name, method, path and scope of each
    """
    schemas = _schemas(settings.limits)
    described = {
        **operations(_query_parameters(schemas)),
        **identity_operations(),
        **executions_operations(),
        **results_operations(),
    }
    paths: JsonObject = {}
    for name, method, path, scope in routes:
        security: JsonObject = {} if scope is None else {"security": [{"bearer": []}]}
        operation = {"operationId": name} | security | described[name]
        paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SoulBox",
            "version": _version(),
            "summary": "Runs untrusted code, in milliseconds, behind hard limits.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {f"Problem{s}": problem_response(_codes(s)) for s in RUN_PROBLEMS},
            "parameters": {"RequestId": _REQUEST_ID_ASKED},
            "headers": {"RequestId": _REQUEST_ID},
            "securitySchemes": {"bearer": _BEARER},
        },
        "x-problems": [
            {"code": row.code, "status": row.status, "title": row.title} for row in problem_rows()
        ],
    }


def _version() -> str:
    try:
        return version("soulbox-core")
    except PackageNotFoundError:
        # Run from a checkout that was not installed.
        return "0"


_BEARER: JsonObject = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, or an access token.",
}
_REQUEST_ID: JsonObject = {
    "description": "Names the request in the service's log.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}
_REQUEST_ID_ASKED: JsonObject = {
    "name": "x-request-id",
    "in": "header",
    "description": "The id to use, if it is 1 to 64 of A-Z a-z 0-9 . _ -; else one is made up.",
    "schema": {"type": "string"},
}


def problem_rows() -> list[Row]:
    """Every kind of problem that there is, by status."""
    rows = [*TABLE.values(), *(http_row(status) for status in HTTP_STATUSES)]
    return sorted(rows, key=lambda row: (row.status, row.code))


def _codes(status: int) -> str:
    rows = [row for row in problem_rows() if row.status == status]
    return "; ".join(f"`{row.code}`: {row.title.lower()}" for row in rows) + "."


def _schemas(limits: LimitSettings) -> JsonObject:
    found: JsonObject
    _, found = msgspec.json.schema_components((*_TYPES, *_EVENTS), ref_template=_TEMPLATE)
    found["RunBody"]["oneOf"] = [{"required": ["code"]}, {"required": ["files"]}]
    found["Event"] = {
        "oneOf": [{"$ref": _TEMPLATE.format(name=kind.__name__)} for kind in _EVENTS],
        "discriminator": {"propertyName": "event"},
    }
    for name, asked in found["AskedLimits"]["properties"].items():
        asked["default"] = getattr(limits.default, name)
        asked["maximum"] = getattr(limits.ceiling, name)
    return found


def _query_parameters(schemas: JsonObject) -> list[JsonObject]:
    """The options of a run, which are fields of a JSON body, as query parameters."""
    parameters = []
    for name, described in schemas["RunBody"]["properties"].items():
        if name == "limits":
            parameters += _limit_parameters(schemas)
        elif name not in ("code", "files", "entrypoint"):
            parameters.append(_parameter(name, described, schemas))
    return parameters


def _limit_parameters(schemas: JsonObject) -> list[JsonObject]:
    limits = schemas["AskedLimits"]["properties"]
    return [_parameter(name, described, schemas) for name, described in limits.items()]


def _parameter(name: str, described: JsonObject, schemas: JsonObject) -> JsonObject:
    kind: Any = described
    if name == "stdin":
        kind = {"type": "string"}
    elif name == "network":
        kind = schemas["Network"]["properties"]["allow"]
    elif name == "env":
        kind = {
            "type": "array",
            "items": {"type": "string", "pattern": schema.VARIABLE_NAME.rstrip("$") + "="},
            "maxItems": schema.VARIABLES,
        }
    return {
        "name": name,
        "in": "query",
        "description": described.get("description", ""),
        "schema": kind,
    }
