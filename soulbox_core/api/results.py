"""DELETE /v1/results: answers that are to be given no more."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from soulbox_core.api.ports import Results
from soulbox_core.api.query import query_as
from soulbox_core.api.results_schema import DropAnswer, DropQuery
from soulbox_core.api.streams import JSON

_HEADERS = {"cache-control": "no-store"}
_GONE = 204


class _Nothing(msgspec.Struct, frozen=True):
    """The query of a path that has no parameters."""


class ResultsEndpoints:
    """Has answers removed, one or all of a caller."""

    def __init__(self, results: Results) -> None:
        self._results = results

    async def drop_result(self, request: Request) -> Response:
        query_as(request.scope["query_string"], _Nothing)
        if not await self._results.drop(request.path_params["key"]):
            raise HTTPException(404, "there is no such answer")
        return Response(status_code=_GONE, headers=_HEADERS)

    async def drop_results(self, request: Request) -> Response:
        asked = query_as(request.scope["query_string"], DropQuery)
        answer = DropAnswer(removed=await self._results.drop_caller(asked.caller))
        return Response(msgspec.json.encode(answer), headers=_HEADERS, media_type=JSON)
