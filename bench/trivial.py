"""A trivial Starlette handler on the server that ours runs on, which knows the answer to a hello
by heart: what remains of a request when nothing is done for it.

Usage: python -m bench.trivial   prints its port and serves until it is ended
"""

import asyncio
import socket

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from soulbox_core.api.server import HttpServer
from soulbox_core.settings import Server

_ANSWER = {
    "id": "01a22af2-0bb4-7d2a-a817-6005f1b9947e",
    "language": "python",
    "status": "ok",
    "exit_code": 0,
    "signal": None,
    "stdout": "hi\n",
    "stderr": "",
    "encoding": "utf-8",
    "truncated": [],
    "usage": {
        "wall_seconds": 0.0021559610000094844,
        "cpu_seconds": 0.001983430000000001,
        "memory_peak_bytes": 4587520,
    },
    "timings": {
        "queue_seconds": 0.00002069900006063108,
        "install_seconds": None,
        "compile_seconds": None,
        "claim_seconds": 0.00005461199998535449,
        "run_seconds": 0.002469034999914584,
    },
    "compile": None,
    "network": None,
    "cache": {
        "key": "ba5b0fb5223d4b313556ffff1b30a864e85cbce977e7975a1a2f11a1c5c58f38",
        "level": "memory",
        "age_seconds": 0.05995512008666992,
    },
    "files": [],
    "outputs_missing": [],
    "outputs_skipped": [],
}


async def answer(request: Request) -> Response:
    await request.body()
    return JSONResponse(_ANSWER)


async def serve() -> None:
    door = socket.create_server(("127.0.0.1", 0))
    print(door.getsockname()[1], flush=True)
    app = Starlette(routes=[Route("/v1/run/{language}", answer, methods=["POST"])])
    await HttpServer(app, door, Server()).run(asyncio.Event().wait)


if __name__ == "__main__":
    uvloop.run(serve())
