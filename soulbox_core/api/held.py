"""Answers that count as held until their clients have them."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from soulbox_core.api.hold import Hold


class HeldResponse(Response):
    """An answer that may be large.

    :param hold: counts it
    :raises Overloaded: when it is to be sent: there is no room for it
    """

    def __init__(self, body: bytes, media_type: str, hold: Hold) -> None:
        headers = {"cache-control": "no-store", "content-type": media_type}
        super().__init__(body, headers=headers)
        self._hold = hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._hold.share() as share:
            share.take(len(self.body))
            await super().__call__(scope, receive, send)
