"""The HTTP side as one ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import Lifespan

from soulbox_core.api.edge import Edge
from soulbox_core.api.hosts import hosts_of
from soulbox_core.api.ports import Catalog, Runs
from soulbox_core.api.problems import answer
from soulbox_core.api.routes import build_routes
from soulbox_core.errors import SoulBoxError
from soulbox_core.settings import Settings


def build(
    runs: Runs, catalog: Catalog, settings: Settings, lifespan: Lifespan[Starlette] | None = None
) -> Starlette:
    """Compose routes, problem details and the edge.

    :param lifespan: starts and stops what is behind `runs` and `catalog`
    """
    server = settings.server
    app = Starlette(
        routes=build_routes(runs, catalog, settings),
        middleware=[Middleware(Edge, hosts_of(server), server.answer_seconds)],
        exception_handlers={HTTPException: answer, SoulBoxError: answer},
        lifespan=lifespan,
    )
    # A redirect would be built from the Host header, which anybody may write.
    app.router.redirect_slashes = False
    return app
