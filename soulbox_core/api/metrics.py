"""GET /metrics: what the service counts, for Prometheus."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/"""


class MetricsEndpoint:
    """Asks for the text anew for each request, in a thread: making it takes milliseconds."""

    def __init__(self, text: Callable[[], bytes]) -> None:
        self._text = text

    async def metrics(self, request: Request) -> Response:
        body = await asyncio.to_thread(self._text)
        headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store"}
        return Response(body, 200, headers)
