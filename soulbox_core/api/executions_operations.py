"""What OpenAPI says of the routes about runs that are over."""

from collections.abc import Mapping

import msgspec

from soulbox_core.api.executions_schema import ExecutionsQuery, UsageQuery
from soulbox_core.api.operations import JsonObject, gives, json_of, problems, ref

_ASKING = (400, 401, 403, 421, 429, 431, 500, 503)


def executions_operations() -> Mapping[str, JsonObject]:
    """An OpenAPI operation object for each route."""
    execution = {
        "name": "execution",
        "in": "path",
        "required": True,
        "description": "Its id.",
        "schema": {"type": "string"},
    }
    one = _operation(
        "The record of a run",
        "Of the caller's own, or of anybody's with the scope `admin`; what is not the caller's is"
        " as if it were not there.",
        "ExecutionAnswer",
        [execution],
    )
    one["responses"] |= problems(404)
    return {
        "list_executions": _operation(
            "What was run",
            "The caller's own, the newest first. A record may come some moments after its answer.",
            "ExecutionList",
            _parameters(ExecutionsQuery),
        ),
        "execution": one,
        "usage": _operation(
            "What it took, by day",
            "The caller's own runs of all languages, by the day on which they were accepted.",
            "UsageAnswer",
            _parameters(UsageQuery),
        ),
    }


def _operation(
    summary: str, description: str, answer: str, parameters: list[JsonObject]
) -> JsonObject:
    """An operation object.

    :param answer: the schema of what it answers
    """
    return {
        "summary": summary,
        "description": description,
        "parameters": [*parameters, ref("parameters", "RequestId")],
        "responses": {"200": gives(summary, json_of(answer))} | problems(*_ASKING),
    }


def _parameters(kind: type[msgspec.Struct]) -> list[JsonObject]:
    """The fields of a type as query parameters."""
    _, found = msgspec.json.schema_components((kind,))
    return [
        {
            "name": name,
            "in": "query",
            "description": described["description"],
            "schema": {key: value for key, value in described.items() if key != "description"},
        }
        for name, described in found[kind.__name__]["properties"].items()
    ]
