"""Every path there is, and who answers it."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from soulbox_core.api.catalog import CatalogEndpoints
from soulbox_core.api.docs import Page, docs_page
from soulbox_core.api.guard import Guard
from soulbox_core.api.hold import Hold
from soulbox_core.api.identity import IdentityEndpoints
from soulbox_core.api.interactive import InteractiveEndpoint
from soulbox_core.api.openapi import document
from soulbox_core.api.ports import Catalog, Gate, Identity, Runs
from soulbox_core.api.run import RunEndpoint
from soulbox_core.api.streams import JSON
from soulbox_core.scopes import ADMIN, EXECUTE
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


def build_routes(
    runs: Runs,
    catalog: Catalog,
    gate: Gate,
    identity: Identity | None,
    settings: Settings,
    hold: Hold,
) -> list[BaseRoute]:
    """Bind the paths to what answers them, each behind its guard.

    :param identity: None where callers need not prove who they are
    """
    about = CatalogEndpoints(catalog)
    paths = PATHS if identity is None else PATHS + IDENTITY_PATHS
    openapi = msgspec.json.encode(document(paths, settings))
    endpoints: dict[str, ASGIApp] = {
        "run": RunEndpoint(runs, catalog, settings, hold),
        "languages": request_response(about.languages),
        "healthz": request_response(about.healthz),
        "readyz": request_response(about.readyz),
        "openapi": request_response(Page(openapi, JSON).get),
        "docs": request_response(docs_page().get),
    }
    if identity is not None:
        who = IdentityEndpoints(identity, hold)
        endpoints |= {
            each.name: request_response(getattr(who, each.name)) for each in IDENTITY_PATHS
        }
    guard = Guard(gate)
    by_path: dict[str, dict[str, ASGIApp]] = {}
    for each in paths:
        guarded = guard.needs(each.scope, endpoints[each.name])
        by_path.setdefault(each.path, {})[each.method] = guarded
    interactive = InteractiveEndpoint(runs, catalog, settings, hold)
    return [
        *(Route(path, _ByMethod(methods), methods=[*methods]) for path, methods in by_path.items()),
        WebSocketRoute(RUN_PATH, guard.needs(EXECUTE, interactive)),
    ]


class _ByMethod:
    """The endpoints of one path. One route for each would answer another method with an `allow`
    header that tells of the first one alone."""

    def __init__(self, methods: Mapping[str, ASGIApp]) -> None:
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._methods[method](scope, receive, send)
