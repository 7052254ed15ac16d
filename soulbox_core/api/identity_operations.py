"""What OpenAPI says of the routes about who callers are."""

from collections.abc import Mapping

from soulbox_core.api.operations import JsonObject, gives, json_of, problems, ref
from soulbox_core.api.streams import JSON

_ASKING = (400, 401, 403, 408, 413, 415, 421, 422, 429, 500, 503)


def _operation(
    summary: str, description: str, answer: str, *, body: str | None = None, status: int = 200
) -> JsonObject:
    """An operation object.

    :param answer: the schema of what it answers; `body` that of what it is asked
    """
    described: JsonObject = {
        "summary": summary,
        "description": description,
        "parameters": [ref("parameters", "RequestId")],
        "responses": {str(status): gives(summary, json_of(answer))} | problems(*_ASKING),
    }
    if body is not None:
        described["requestBody"] = {"content": {JSON: {"schema": ref("schemas", body)}}}
    return described


def identity_operations() -> Mapping[str, JsonObject]:
    """An OpenAPI operation object for each route."""
    revoke_key = _operation(
        "Revoke an API key",
        "It and every token that it was traded for is worthless at once.",
        "KeyInfo",
    )
    key = {"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}
    revoke_key["parameters"] = [key, *revoke_key["parameters"]]
    revoke_key["responses"] |= problems(404)
    return {
        "token": _operation(
            "Trade an API key for tokens",
            "The key comes as the bearer. Access tokens are short-lived; a refresh token is good"
            " once and brings its successor.",
            "TokenAnswer",
            body="TokenBody",
        ),
        "refresh": _operation(
            "Trade a refresh token for new tokens",
            "One that comes a second time ends its whole family.",
            "TokenAnswer",
            body="RefreshBody",
        ),
        "revoke": _operation(
            "Revoke a token",
            "A refresh or access token, with all that belong to it. What is none is of no use"
            " already.",
            "Revoked",
            body="RevokeBody",
        ),
        "rotate": _operation(
            "Sign tokens with a new key",
            "Tokens that the old one signed stay good until they are over.",
            "RotateAnswer",
        ),
        "jwks": _operation(
            "The public keys of tokens", "By which others can verify them.", "KeySet"
        ),
        "list_keys": _operation("List API keys", "By their ids, never their texts.", "KeyList"),
        "create_key": _operation(
            "Make an API key",
            "Its text is told this once.",
            "KeyAnswer",
            body="KeyBody",
            status=201,
        ),
        "revoke_key": revoke_key,
    }
