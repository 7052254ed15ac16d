"""POST /v1/run/{language}: read the request, have it run, answer."""

import msgspec
from starlette.types import Receive, Scope, Send

from soulbox_core.api.answers import answer_of
from soulbox_core.api.body import Headers, read_body
from soulbox_core.api.edge import HEADERS
from soulbox_core.api.events import Teller
from soulbox_core.api.guard import caller_of
from soulbox_core.api.hold import Hold, Share
from soulbox_core.api.ports import Catalog, Runs
from soulbox_core.api.requests import Asked, RequestReader, check_live
from soulbox_core.api.streams import JSON, negotiate, send_pieces, stream
from soulbox_core.api.watch import Beside, until_gone
from soulbox_core.errors import InvalidRequest
from soulbox_core.settings import Settings


class RunEndpoint:
    """A plain ASGI application: this path is the one whose microseconds count.

    What is raised here becomes problem details further out.
    """

    def __init__(self, runs: Runs, catalog: Catalog, settings: Settings, hold: Hold) -> None:
        self._runs = runs
        self._catalog = catalog
        self._bounds = settings.server
        self._limits = settings.limits
        self._hold = hold
        self._reader = RequestReader(settings.server)
        self._encoder = msgspec.json.Encoder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope["headers"])
        media_type = negotiate(headers.accept)
        with self._hold.share() as share:
            if media_type == JSON:
                body = await self._execute(scope, headers, receive, share)
                share.become(len(body))
                await _send_json(body, send)
            else:
                if headers.idempotency_key() is not None:
                    raise InvalidRequest(
                        "a stream cannot be told twice; leave idempotency-key out, or accept JSON",
                        field="idempotency-key",
                    )
                asked = await self._read(scope, headers, receive, share)
                check_live(asked.request)
                events = self._runs.stream(asked.request, caller_of(scope))
                teller = Teller(asked.encoding)
                await stream(events, teller, media_type, scope, share, receive, send)

    async def _execute(
        self, scope: Scope, headers: Headers, receive: Receive, share: Share
    ) -> bytes:
        """The answer, after which nothing else of the run is left: its client may take long."""
        asked = await self._read(scope, headers, receive, share)
        with Beside(until_gone, receive):
            outcome = await self._runs.execute(
                asked.request, caller_of(scope), idempotency_key=headers.idempotency_key()
            )
        if outcome.replayed:
            scope[HEADERS].append((b"idempotency-replayed", b"true"))
        return self._encoder.encode(answer_of(outcome, asked.encoding))

    async def _read(self, scope: Scope, headers: Headers, receive: Receive, share: Share) -> Asked:
        language = self._catalog.language(scope["path_params"]["language"])
        query = scope["query_string"]
        is_json = headers.is_json()
        most = self._bounds.request_bytes
        if not is_json:
            most = min(most, self._bounds.source_bytes)
        elif query:
            raise InvalidRequest("with a JSON body the options go into the body", field="query")
        seconds = self._bounds.upload_seconds
        body = await read_body(receive, headers.length(), most, share, seconds)
        if is_json:
            asked = self._reader.json(body, language)
        else:
            asked = self._reader.source(body, query, language)
        share.take(asked.output_bytes(self._limits))
        return asked


async def _send_json(body: bytes, send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send_pieces(body, send, more=False)
