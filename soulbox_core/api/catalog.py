"""GET /v1/languages, /healthz and /readyz: what is here and how it is."""

from collections.abc import Callable
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from soulbox_core.api.ports import Catalog
from soulbox_core.api.schema import Languages, Liveness, Readiness
from soulbox_core.api.streams import JSON
from soulbox_core.store.port import Health


class CatalogEndpoints:
    """Asks the catalog anew for each request: languages get ready, and lose it.

    :param health: how the database is; None if there is none
    """

    def __init__(self, catalog: Catalog, health: Callable[[], Health] | None = None) -> None:
        self._catalog = catalog
        self._health = health

    async def languages(self, request: Request) -> Response:
        return _json(Languages(languages=self._catalog.entries(), faults=self._catalog.faults()))

    async def healthz(self, request: Request) -> Response:
        return _json(Liveness())

    async def readyz(self, request: Request) -> Response:
        ready = self._catalog.ready()
        languages = {entry.name: entry.ready for entry in self._catalog.entries()}
        waiting: Literal["starting", "stopping"] = (
            "stopping" if self._catalog.stopping else "starting"
        )
        readiness = Readiness(
            status="ready" if ready else waiting,
            languages=languages,
            database=None if self._health is None else self._health(),
        )
        return _json(readiness, 200 if ready else 503)


def _json(value: msgspec.Struct, status: int = 200) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, media_type=JSON)
