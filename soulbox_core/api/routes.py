"""Every path there is, and who answers it."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute

from soulbox_core.api.catalog import CatalogEndpoints
from soulbox_core.api.docs import Page, docs_page
from soulbox_core.api.hold import Hold
from soulbox_core.api.interactive import InteractiveEndpoint
from soulbox_core.api.openapi import document
from soulbox_core.api.ports import Catalog, Runs
from soulbox_core.api.run import RunEndpoint
from soulbox_core.api.streams import JSON
from soulbox_core.settings import Settings

RUN_PATH = "/v1/run/{language}"
PATHS = (
    ("run", "POST", RUN_PATH),
    ("languages", "GET", "/v1/languages"),
    ("healthz", "GET", "/healthz"),
    ("readyz", "GET", "/readyz"),
    ("openapi", "GET", "/openapi.json"),
    ("docs", "GET", "/docs"),
)
"""Name, which is also OpenAPI's operationId, method and path of each HTTP route."""


def build_routes(runs: Runs, catalog: Catalog, settings: Settings) -> list[BaseRoute]:
    """Bind the paths to what answers them."""
    hold = Hold(settings.server.held_bytes)
    about = CatalogEndpoints(catalog)
    openapi = msgspec.json.encode(document(PATHS, settings))
    endpoints: dict[str, Callable[..., Any]] = {
        "run": RunEndpoint(runs, catalog, settings, hold),
        "languages": about.languages,
        "healthz": about.healthz,
        "readyz": about.readyz,
        "openapi": Page(openapi, JSON).get,
        "docs": docs_page().get,
    }
    interactive = InteractiveEndpoint(runs, catalog, settings, hold)
    return [
        *(
            Route(path, endpoints[name], methods=[method], name=name)
            for name, method, path in PATHS
        ),
        WebSocketRoute(RUN_PATH, interactive, name="interactive"),
    ]
