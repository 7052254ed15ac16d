"""GET /metrics: what the service counts, for Prometheus."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from soulbox_core.api.held import HeldResponse
from soulbox_core.api.hold import Hold

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/"""


class MetricsEndpoint:
    """Asks for the text anew for each request, in a thread: making it takes milliseconds.

    :param hold: counts the answers, until their clients have them
    """

    def __init__(self, text: Callable[[], bytes], hold: Hold) -> None:
        self._text = text
        self._hold = hold

    async def metrics(self, request: Request) -> Response:
        return HeldResponse(await asyncio.to_thread(self._text), CONTENT_TYPE, self._hold)
