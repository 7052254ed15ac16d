"""Serves the embedded engine over SurrealDB's RPC protocol, in a process of its own.

Started with `python -m tests.store.rpc PORT DIRECTORY`; it prints the port. Each database is an
engine in a directory of its own, so that what was kept outlives a kill. What is in the file `mode`
of the directory spoils the answers to queries:

`garble`: something else is in the records; `wrong`: an answer that is none; `noise`: bytes that are
no message; `drop`: it does what it is told and hangs up instead of answering.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from surrealdb import AsyncSurreal
from surrealdb.data.cbor import decode, encode
from websockets import Subprotocol
from websockets.asyncio.server import ServerConnection, serve

ROOT = ("root", "of all")
"""Signs in to the whole server alone."""
APP = ("app", "of one database")
"""Signs in to a database alone."""


class Rpc:
    """Answers clients."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._engines: dict[str, Any] = {}
        self._opening = asyncio.Lock()

    async def client(self, socket: ServerConnection) -> None:
        session: dict[str, Any] = {}
        tasks = set()
        async for message in socket:
            assert isinstance(message, bytes)
            task = asyncio.create_task(self._answer(socket, session, message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _answer(
        self, socket: ServerConnection, session: dict[str, Any], message: bytes
    ) -> None:
        request = decode(message)
        answer = {"id": request["id"]}
        match request["method"]:
            case "signin":
                (asked,) = request["params"]
                known = APP if {"ns", "db"} <= asked.keys() else ROOT
                if (asked["user"], asked["pass"]) == known:
                    session["known"] = True
                    answer["result"] = "a.b.c"
                else:
                    answer["error"] = {"code": -32000, "message": "no such user"}
            case "use":
                session["engine"] = await self._engine("-".join(request["params"]))
                answer["result"] = None
            case "query" if session.get("known"):
                await self._query(socket, session["engine"], message)
                return
            case _:
                answer["error"] = {"code": -32000, "message": "not allowed"}
        await socket.send(encode(answer))

    async def _query(self, socket: ServerConnection, engine: Any, message: bytes) -> None:
        answer = await executed(engine, message)
        mode = self._directory / "mode"
        match mode.read_text() if mode.exists() else "":
            case "garble":
                answer = encode(garbled(decode(answer)))
            case "wrong":
                answer = encode({"id": decode(answer)["id"], "result": [{"odd": 1}]})
            case "noise":
                answer = b"\xff\x00noise"
            case "drop":
                await socket.close()
                return
        await socket.send(answer)

    async def _engine(self, name: str) -> Any:
        async with self._opening:
            if name not in self._engines:
                engine: Any = AsyncSurreal(f"surrealkv://{self._directory / name}")
                await engine.connect()
                await engine.use("any", "any")
                self._engines[name] = engine
            return self._engines[name]


async def executed(engine: Any, message: bytes) -> bytes:
    try:
        answer: bytes = await engine._db.execute(message)
    except (RuntimeError, ValueError) as error:  # the engine's way to say that it is no query
        refusal = {"code": -32000, "message": str(error)}
        answer = encode({"id": decode(message)["id"], "error": refusal})
    return answer


def garbled(value: Any) -> Any:
    """The same with other words in what records say."""
    if isinstance(value, list):
        return [garbled(each) for each in value]
    if isinstance(value, dict):
        return {
            key: "garbled" if key in ("body", "runs", "scopes") else garbled(each)
            for key, each in value.items()
        }
    return value


async def main(port: int, directory: Path) -> None:
    rpc = Rpc(directory)
    async with serve(
        rpc.client, "127.0.0.1", port, subprotocols=[Subprotocol("cbor")], max_size=None
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
