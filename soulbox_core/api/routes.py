"""Every path there is, and who answers it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from soulbox_core.api.catalog import CatalogEndpoints
from soulbox_core.api.docs import Page, docs_page
from soulbox_core.api.executions import ExecutionsEndpoints
from soulbox_core.api.extras import Extras
from soulbox_core.api.guard import Guard
from soulbox_core.api.hold import Hold
from soulbox_core.api.identity import IdentityEndpoints
from soulbox_core.api.interactive import InteractiveEndpoint
from soulbox_core.api.metrics import MetricsEndpoint
from soulbox_core.api.openapi import document
from soulbox_core.api.ports import Catalog, Gate, Runs
from soulbox_core.api.results import ResultsEndpoints
from soulbox_core.api.run import RunEndpoint
from soulbox_core.api.streams import JSON
from soulbox_core.scopes import ADMIN, EXECUTE, METRICS
from soulbox_core.settings import Settings

RUN_PATH = "/v1/run/{language}"


class Path(NamedTuple):
    """An HTTP path."""

    name: str
    """Also OpenAPI's operationId."""
    method: str
    path: str
    scope: str | None
    """What the caller's key or token must be good for; None lets anybody in."""


PATHS = (
    Path("run", "POST", RUN_PATH, EXECUTE),
    Path("languages", "GET", "/v1/languages", EXECUTE),
    Path("healthz", "GET", "/healthz", None),
    Path("readyz", "GET", "/readyz", None),
    Path("openapi", "GET", "/openapi.json", None),
    Path("docs", "GET", "/docs", None),
)
FREE = frozenset(("healthz", "readyz"))
"""What anybody may ask as often as he likes: whoever has an address in common with a load balancer
could else have it think that the node is gone."""
IDENTITY_PATHS = (
    Path("token", "POST", "/v1/auth/token", None),
    Path("refresh", "POST", "/v1/auth/refresh", None),
    Path("revoke", "POST", "/v1/auth/revoke", None),
    Path("rotate", "POST", "/v1/auth/rotate", ADMIN),
    Path("jwks", "GET", "/.well-known/jwks.json", None),
    Path("list_keys", "GET", "/v1/keys", ADMIN),
    Path("create_key", "POST", "/v1/keys", ADMIN),
    Path("revoke_key", "DELETE", "/v1/keys/{key}", ADMIN),
)
"""Those that are there only where callers must prove who they are."""
EXECUTIONS_PATHS = (
    Path("list_executions", "GET", "/v1/executions", EXECUTE),
    Path("execution", "GET", "/v1/executions/{execution}", EXECUTE),
    Path("usage", "GET", "/v1/usage", EXECUTE),
)
"""Those that are there only where records of runs are kept."""
RESULTS_PATHS = (
    Path("drop_result", "DELETE", "/v1/results/{key}", ADMIN),
    Path("drop_results", "DELETE", "/v1/results", ADMIN),
)
"""Those that are there only where answers are kept."""
METRICS_PATHS = (Path("metrics", "GET", "/metrics", METRICS),)
"""Those that are there only where the service counts."""


def build_routes(
    runs: Runs,
    catalog: Catalog,
    gate: Gate,
    settings: Settings,
    also: Extras,
    hold: Hold,
) -> list[BaseRoute]:
    """Bind the paths to what answers them, each behind its guard."""
    endpoints = dict(_endpoints(also, hold))
    paths = (*PATHS, *endpoints)
    about = CatalogEndpoints(catalog, also.health)
    openapi = msgspec.json.encode(document(paths, settings))
    always: tuple[ASGIApp, ...] = (
        RunEndpoint(runs, catalog, settings, hold),
        request_response(about.languages),
        request_response(about.healthz),
        request_response(about.readyz),
        request_response(Page(openapi, JSON).get),
        request_response(docs_page().get),
    )
    endpoints |= zip(PATHS, always, strict=True)
    guard = Guard(gate)
    by_path: dict[str, dict[str, ASGIApp]] = {}
    for each in paths:
        endpoint = endpoints[each]
        if each.name in FREE:
            guarded = guard.free(each.name, endpoint)
        else:
            guarded = guard.needs(each.scope, each.name, endpoint)
        by_path.setdefault(each.path, {})[each.method] = guarded
    interactive = InteractiveEndpoint(runs, catalog, settings, hold)
    return [
        *(Route(path, _ByMethod(methods), methods=[*methods]) for path, methods in by_path.items()),
        WebSocketRoute(RUN_PATH, guard.needs(EXECUTE, "interactive", interactive)),
    ]


def _endpoints(also: Extras, hold: Hold) -> Iterator[tuple[Path, ASGIApp]]:
    """The paths that are there if what they are about is, each with the method of its name."""
    groups: list[tuple[tuple[Path, ...], object]] = []
    if also.identity is not None:
        groups.append((IDENTITY_PATHS, IdentityEndpoints(also.identity, hold)))
    if also.executions is not None:
        groups.append((EXECUTIONS_PATHS, ExecutionsEndpoints(also.executions, hold)))
    if also.results is not None:
        groups.append((RESULTS_PATHS, ResultsEndpoints(also.results)))
    if also.metrics is not None:
        groups.append((METRICS_PATHS, MetricsEndpoint(also.metrics, hold)))
    for paths, endpoints in groups:
        for each in paths:
            yield each, request_response(getattr(endpoints, each.name))


class _ByMethod:
    """The endpoints of one path. One route for each would answer another method with an `allow`
    header that tells of the first one alone."""

    def __init__(self, methods: Mapping[str, ASGIApp]) -> None:
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._methods[method](scope, receive, send)
