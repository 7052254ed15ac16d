"""A trivial Starlette handler on the server that ours runs on: what remains of a request when
nothing is done for it.

Usage: python -m bench.trivial   prints its port and serves until it is ended
"""

import asyncio
import socket

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from soulbox_core.api.server import HttpServer
from soulbox_core.settings import Server

_ANSWER = b'{"status":"ok","stdout":"hi\\n"}'


async def answer(request: Request) -> Response:
    await request.body()
    return Response(_ANSWER, media_type="application/json")


async def serve() -> None:
    door = socket.create_server(("127.0.0.1", 0))
    print(door.getsockname()[1], flush=True)
    app = Starlette(routes=[Route("/v1/run/{language}", answer, methods=["POST"])])
    await HttpServer(app, door, Server()).run(asyncio.Event().wait)


if __name__ == "__main__":
    uvloop.run(serve())
