"""The question for known vulnerabilities, put to a service on loopback that speaks as OSV does."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.release.checkout import ROOT

HASH = "0" * 64
LOCK = f"alpha==1.5 \\\n    --hash=sha256:{HASH}\nbeta==2.0 \\\n    --hash=sha256:{HASH}\n"
VULNERABLE = {
    "id": "PYSEC-2026-1",
    "summary": "Lets anybody in.",
    "affected": [
        {
            "package": {"name": "alpha", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.6"}]}],
        }
    ],
}


class Osv:
    """What it knows, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.known: dict[str, Any] = {}
        self.asked: list[str] = []
        self.status = 200


@pytest.fixture
def osv() -> Iterator[Osv]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            name = body["package"]["name"]
            service.asked.append(name)
            answer = json.dumps(service.known.get(name, {})).encode()
            self.send_response(service.status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = Osv(f"http://127.0.0.1:{server.server_port}/v1/query")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


def audit(tmp_path: Path, osv: Osv, *flags: str) -> tuple[int, str]:
    """The exit code, and what it says."""
    lock = tmp_path / "lock.txt"
    lock.write_text(LOCK)
    done = subprocess.run(
        [sys.executable, "-m", "release.audit", *flags, "--osv-url", osv.url, lock],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
    )
    assert not done.stderr
    return done.returncode, done.stdout


def test_without_a_vulnerability_it_ends_well(tmp_path: Path, osv: Osv) -> None:
    code, said = audit(tmp_path, osv)
    assert code == 0
    assert said.startswith(f"✓ {osv.url} knows of no vulnerability in ")
    assert sorted(osv.asked) == ["alpha", "beta"]


@pytest.mark.parametrize("flags", [(), ("--offline-ok",)])
def test_a_vulnerability_fails(tmp_path: Path, osv: Osv, flags: tuple[str, ...]) -> None:
    osv.known["alpha"] = {"vulns": [VULNERABLE]}
    code, said = audit(tmp_path, osv, *flags)
    assert (code, said) == (1, "✗ alpha 1.5: PYSEC-2026-1, mended by 1.6\n")


def test_a_vulnerability_can_be_passed_over_by_name(tmp_path: Path, osv: Osv) -> None:
    osv.known["alpha"] = {"vulns": [VULNERABLE, {**VULNERABLE, "id": "PYSEC-2026-2"}]}
    code, said = audit(tmp_path, osv, "--ignore", "PYSEC-2026-1")
    assert (code, said) == (1, "✗ alpha 1.5: PYSEC-2026-2, mended by 1.6\n")
    assert audit(tmp_path, osv, "--ignore", "PYSEC-2026-1", "--ignore", "PYSEC-2026-2")[0] == 0


@pytest.mark.parametrize(("flags", "code"), [((), 2), (("--offline-ok",), 0)])
def test_a_service_that_cannot_tell_is_no_good_news(
    tmp_path: Path, osv: Osv, flags: tuple[str, ...], code: int
) -> None:
    osv.status = 503
    ended, said = audit(tmp_path, osv, *flags)
    assert ended == code, said
    assert said.startswith(f"! {osv.url} does not tell: ")
    assert "nobody could be asked" in said
    assert "no vulnerability" not in said


def test_a_service_that_cannot_be_reached_is_named_with_the_reason(
    tmp_path: Path, osv: Osv
) -> None:
    osv.url = "http://127.0.0.1:9/v1/query"
    code, said = audit(tmp_path, osv)
    assert code == 2
    assert "refused" in said
