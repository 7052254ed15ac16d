"""A web server in a thread, and requests that talk to it over loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self._answer(302, b"", location="/hello?from=moved")
        elif self.path.startswith("/hello"):
            self._answer(200, json.dumps({"path": self.path}).encode(), cookie="seen=yes")
        else:
            self._answer(404, b"nothing here")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"].partition(";")[0]
        self._answer(
            201, f"{kind}: {len(body)} bytes, auth {self.headers['Authorization']}".encode()
        )

    def _answer(self, status: int, body: bytes, location: str = "", cookie: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    with requests.Session() as session:
        response = session.get(f"{base}/hello", params={"q": "a b", "n": [1, 2]})
        print(response.status_code, response.json(), dict(session.cookies))
        response = session.get(f"{base}/moved")
        print([r.status_code for r in response.history], response.json()["path"])
        print(session.post(base, json={"key": ["välue"]}).text)
        print(session.post(base, data={"a": "1"}, auth=("user", "pass")).text)
        print(session.post(base, files={"file": ("a.txt", b"x" * 100)}).status_code)
        missing = session.get(f"{base}/missing")
        try:
            missing.raise_for_status()
        except requests.HTTPError as error:
            print(str(error).partition(" for url")[0], missing.text)
    server.shutdown()

try:
    requests.get("http://127.0.0.1:9/", timeout=1)
except requests.ConnectionError as error:
    print(type(error).__name__)
try:
    requests.get("http://example.com/", timeout=1)
except requests.ConnectionError as error:
    print("no way out:", type(error).__name__)
