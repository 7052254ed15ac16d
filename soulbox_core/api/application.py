"""The HTTP side as one ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from soulbox_core.api import extras
from soulbox_core.api.edge import Edge
from soulbox_core.api.extras import Extras
from soulbox_core.api.hold import Hold
from soulbox_core.api.ports import Catalog, Gate, Runs
from soulbox_core.api.problems import answer
from soulbox_core.api.routes import build_routes
from soulbox_core.errors import SoulBoxError
from soulbox_core.settings import Settings


def build(
    runs: Runs,
    catalog: Catalog,
    gate: Gate,
    settings: Settings,
    also: Extras = extras.NONE,
    hold: Hold | None = None,
) -> Starlette:
    """Compose routes, problem details and the edge.

    :param also: what is served besides
    :param hold: counts what is in memory for clients, where others than these count as well
    """
    hold = hold or Hold(settings.server.held_bytes)
    app = Starlette(
        routes=build_routes(runs, catalog, gate, settings, also, hold),
        middleware=[Middleware(Edge, settings.server, also.traffic)],
        exception_handlers={HTTPException: answer, SoulBoxError: answer},
    )
    # A redirect would be built from the Host header, which anybody may write.
    app.router.redirect_slashes = False
    return app
