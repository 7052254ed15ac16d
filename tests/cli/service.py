"""A small HTTP server that answers as SoulBox does, from a script, and remembers what it was asked.

Real sockets, so that what the command does with a slow, broken or vanishing service is real too.
"""

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LANGUAGES = {
    "languages": [
        {
            "name": "python",
            "title": "Python",
            "aliases": ["py"],
            "version": "Python 3.13.5",
            "ready": True,
            "preloads": ["numpy"],
            "source_file": "main.py",
            "from_a_newer_service": True,
        }
    ],
    "faults": [{"plugin": "broken", "detail": "ImportError: no module"}],
}
RESULT = {"event": "result", "status": "ok", "exit_code": 0, "signal": None}


def output(stream: str, data: bytes) -> dict[str, Any]:
    """An event that carries output."""
    return {"event": stream, "data": b64encode(data).decode()}


class ScriptedService:
    """What it will answer to the next runs, and the last request."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any] | Callable[[], object]] = [RESULT]
        self.problem: tuple[int, bytes] | None = None
        self.path = ""
        self.accept = ""
        self.request: dict[str, Any] = {}
        self.client_gone = threading.Event()
        self.key: str | None = None
        """What has to be shown, if anything."""
        self.shown: str | None = None
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    service: ScriptedService

    def do_GET(self) -> None:
        if self._is_known():
            self._send(200, json.dumps(LANGUAGES).encode())

    def do_POST(self) -> None:
        service = self.service
        service.path = self.path
        service.accept = self.headers["accept"]
        service.request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self._is_known():
            return
        if service.problem:
            self._send(*service.problem)
            return
        self.send_response(200)
        self.end_headers()
        try:
            for event in service.events:
                if callable(event):
                    event()
                else:
                    self.wfile.write(json.dumps(event).encode() + b"\n")
        except ConnectionError:
            service.client_gone.set()

    def _is_known(self) -> bool:
        service = self.service
        service.shown = self.headers["authorization"]
        if service.key is None or service.shown == f"Bearer {service.key}":
            return True
        self._send(401, b'{"detail": "send a valid API key"}')
        return False

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def scripted_service() -> Iterator[ScriptedService]:
    """The server, on a free port of loopback, while the block lasts."""
    service = ScriptedService()
    handler = type("Handler", (_Handler,), {"service": service})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
