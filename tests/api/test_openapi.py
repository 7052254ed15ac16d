"""The document is true: it names what there is, and what is sent at random finds no more."""

from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks
from starlette.routing import Route

from soulbox_core.api.application import build
from soulbox_core.api.extras import Extras
from soulbox_core.api.openapi import problem_rows
from soulbox_core.model import Limits
from soulbox_core.results.cache import ResultCache
from soulbox_core.settings import Results, Server, Settings
from soulbox_core.telemetry.metrics import Metrics
from tests.api.conftest import Client
from tests.api.fakes import (
    LUA,
    FakeCatalog,
    FakeExecutions,
    FakeGate,
    FakeIdentity,
    FakeRuns,
)
from tests.loop import on_loop

SETTINGS = Settings(server=Server(hosts=("testserver",)))
CREDENTIAL = "sbx_good"
UNKNOWN_HEADER = "x-schemathesis-unknown-property"
APP = build(
    FakeRuns(),
    FakeCatalog(),
    FakeGate(CREDENTIAL),
    SETTINGS,
    Extras(
        identity=FakeIdentity(),
        executions=FakeExecutions(),
        results=ResultCache(Results()),
        metrics=Metrics("1.2.3").text,
    ),
)
REFUSALS = [400, 401, 403, 404, 408, 413, 415, 421, 422, 429, 431]
"""What is wrong may also be too large, which schemathesis would not expect."""
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
)
SCHEMA = schemathesis.openapi.from_asgi("/openapi.json", APP, config=CONFIG)


@SCHEMA.auth()
class Credential:
    """What the service is shown, but where schemathesis wants to see it refused."""

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str:
        return CREDENTIAL

    def set(
        self, case: schemathesis.Case[Any], data: str, context: schemathesis.AuthContext
    ) -> None:
        case.headers["authorization"] = f"Bearer {data}"


BOUNDED = settings(max_examples=25, deadline=None, derandomize=True, database=None)


@pytest.fixture
def document() -> dict[str, Any]:
    raw: dict[str, Any] = SCHEMA.raw_schema
    return raw


def test_the_document_is_openapi() -> None:
    SCHEMA.validate()


@SCHEMA.parametrize()
@BOUNDED
def test_whatever_is_sent_gets_a_documented_answer(case: schemathesis.Case[Any]) -> None:
    # That a JSON body takes no query parameters, and paths no directory for a file, are rules
    # that OpenAPI has no words for: what it calls valid may be refused.
    excluded: list[Any] = [checks.positive_data_acceptance]
    if UNKNOWN_HEADER in case.headers:  # HTTP lets anybody add headers
        excluded.append(checks.negative_data_rejection)
    case.call_and_validate(excluded_checks=excluded)


@SCHEMA.include(operation_id="run").parametrize()
@BOUNDED
def test_whatever_program_is_sent_gets_a_documented_answer(case: schemathesis.Case[Any]) -> None:
    """As above, past the two refusals that would otherwise answer nearly every case."""
    case.path_parameters["language"] = LUA.name
    if case.media_type == "application/json":
        case.query.clear()
    case.call_and_validate(
        checks=[
            not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_headers_conformance,
            checks.response_schema_conformance,
        ]
    )


def test_every_route_is_in_the_document_and_no_other(document: dict[str, Any]) -> None:
    routes = {
        (route.path, method.lower())
        for route in APP.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    documented = {(path, method) for path, item in document["paths"].items() for method in item}
    assert documented == routes


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for child in node.values() for ref in references(child)]
    if isinstance(node, list):
        return [ref for child in node for ref in references(child)]
    return []


def test_every_problem_a_run_may_end_in_is_described(document: dict[str, Any]) -> None:
    responses = document["paths"]["/v1/run/{language}"]["post"]["responses"]
    for row in problem_rows():
        if row.status in (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED):
            continue
        reference = responses[str(row.status)]["$ref"]
        described = document["components"]["responses"][reference.rpartition("/")[2]]
        assert f"`{row.code}`" in described["description"]
        assert list(described["content"]) == ["application/problem+json"]


def test_the_operators_limits_are_in_the_document(document: dict[str, Any]) -> None:
    asked = document["components"]["schemas"]["AskedLimits"]["properties"]
    parameters = document["paths"]["/v1/run/{language}"]["post"]["parameters"]
    by_name = {parameter.get("name"): parameter for parameter in parameters}
    for name in Limits.__struct_fields__:
        assert asked[name]["default"] == getattr(SETTINGS.limits.default, name)
        assert asked[name]["maximum"] == getattr(SETTINGS.limits.ceiling, name)
        assert by_name[name]["schema"] == asked[name]


@on_loop
async def test_the_document_is_what_is_served(document: dict[str, Any]) -> None:
    answer = await Client(APP)("GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document
