"""What OpenAPI says of the routes about the result cache."""

from collections.abc import Mapping

from soulbox_core.api.operations import JsonObject, gives, json_of, problems, ref
from soulbox_core.api.results_schema import CALLER_CHARACTERS
from soulbox_core.results.key import KEY_CHARACTERS

_ASKING = (400, 401, 403, 421, 429, 431, 500, 503)


def results_operations() -> Mapping[str, JsonObject]:
    """An OpenAPI operation object for each route."""
    key = {
        "name": "key",
        "in": "path",
        "required": True,
        "description": "As `cache.key` of the answer says.",
        "schema": {"type": "string", "pattern": f"^[0-9a-f]{{{KEY_CHARACTERS}}}$"},
    }
    caller = {
        "name": "caller",
        "in": "query",
        "required": True,
        "description": "The caller's id, such as `key:0123456789ab`.",
        "schema": {"type": "string", "minLength": 1, "maxLength": CALLER_CHARACTERS},
    }
    gone = {
        "description": "It is kept no more.",
        "headers": {"x-request-id": ref("headers", "RequestId")},
    }
    removed = gives("How many there were.", json_of("DropAnswer"))
    return {
        "drop_result": _operation(
            "Remove an answer from the result cache",
            "From the memory of every node, and from Redis.",
            key,
            {"204": gone} | problems(404),
        ),
        "drop_results": _operation(
            "Remove a caller's answers from the result cache",
            "From the memory of every node, and from Redis. Answers that callers share are nobody's"
            " own, so none of those.",
            caller,
            {"200": removed},
        ),
    }


def _operation(
    summary: str, description: str, parameter: JsonObject, responses: JsonObject
) -> JsonObject:
    return {
        "summary": summary,
        "description": description,
        "parameters": [parameter, ref("parameters", "RequestId")],
        "responses": responses | problems(*_ASKING),
    }
