"""The whole way: HTTP in, a cell, HTTP out."""

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.integration.service import Service


def test_curls_default_form_type_is_the_source(service: Service) -> None:
    response = service.client.post(
        "/v1/run/python",
        content=b"print('hi')",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    answer = response.json()
    assert (answer["status"], answer["stdout"], answer["exit_code"]) == ("ok", "hi\n", 0)
    assert answer["usage"]["cpu_seconds"] > 0
    assert answer["usage"]["memory_peak_bytes"] > 0


def test_options_of_a_source_body_are_query_parameters(service: Service) -> None:
    response = service.client.post(
        "/v1/run/py",
        params={"args": ["a", "b"], "env": "X=1", "stdin": "in", "wall_seconds": "5"},
        content=b"import sys, os; print(sys.argv[1:], os.environ['X'], input())",
    )
    assert response.json()["stdout"] == "['a', 'b'] 1 in\n"


def test_files_with_an_entrypoint_in_a_directory(service: Service) -> None:
    files = {
        "app/main.py": "import helper; print(helper.text, open('data.bin', 'rb').read())",
        "app/helper.py": "text = 'helped'",
        "data.bin": {"base64": base64.b64encode(b"\xff\x00").decode()},
    }
    response = service.client.post(
        "/v1/run/python", json={"files": files, "entrypoint": "app/main.py"}
    )
    assert response.json()["stdout"] == "helped b'\\xff\\x00'\n"


def test_a_large_source_and_a_large_stdin_arrive_whole(service: Service) -> None:
    code = f"text = '{'x' * 900_000}'\nimport sys\nprint(len(text), len(sys.stdin.read()))"
    assert service.output(code, stdin="é" * 1_000_000) == "900000 1000000\n"


def test_binary_output_survives_as_base64(service: Service) -> None:
    code = "import sys; sys.stdout.buffer.write(bytes(range(256)))"
    answer = service.run(code, encoding="base64")
    assert base64.b64decode(answer["stdout"]) == bytes(range(256))
    assert "�" in service.run(code)["stdout"]


def test_a_picture_comes_back_as_an_output_file(service: Service) -> None:
    code = "open('out/a.png', 'wb').write(b'\\x89PNG') if not __import__('os').mkdir('out') else 0"
    answer = service.run(code, outputs=["out/**"])
    (file,) = answer["files"]
    assert (file["path"], file["encoding"], file["size_bytes"]) == ("out/a.png", "base64", 4)


def events(service: Service, accept: str, code: str, **options: Any) -> list[dict[str, Any]]:
    with service.client.stream(
        "POST", "/v1/run/python", json={"code": code, **options}, headers={"accept": accept}
    ) as response:
        assert response.headers["content-type"].startswith(accept)
        found = []
        for line in response.iter_lines():
            if accept == "application/x-ndjson" and line:
                found.append(json.loads(line))
            elif line.startswith("data:"):
                found.append(json.loads(line.removeprefix("data:")))
        return found


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
def test_a_stream_begins_tells_and_ends(service: Service, accept: str) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    found = events(service, accept, code)
    assert len(found) == 4
    assert found[0]["language"] == "python"
    assert found[-1]["status"] == "failed"


def test_a_chunk_is_sent_when_it_is_written(service: Service) -> None:
    """The program goes on only after its first line has reached us."""
    code = "print('first')\nprint(input())"
    with connect(f"ws://127.0.0.1:{service.port}/v1/run/python") as socket:
        socket.send(json.dumps({"code": code}))
        assert json.loads(socket.recv())["event"] == "started"
        assert json.loads(socket.recv())["data"] == "first\n"
        socket.send(json.dumps({"stdin": "second\n"}))
        assert json.loads(socket.recv())["data"] == "second\n"
        assert json.loads(socket.recv())["status"] == "ok"


def test_live_stdin_of_many_chunks_and_its_end(service: Service) -> None:
    with connect(f"ws://127.0.0.1:{service.port}/v1/run/python") as socket:
        socket.send(json.dumps({"code": "import sys; print(len(sys.stdin.read()))"}))
        for _ in range(50):
            socket.send(b"x" * 10_000)
        socket.send(json.dumps({"eof": True}))
        messages = [json.loads(message) for message in socket]
    assert messages[1]["data"] == "500000\n"


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_client_that_goes_away_gets_its_cell_killed(service: Service, accept: str) -> None:
    """A cell that were left alone would hold its reservation, and all of them the service."""
    marker = f"import time\nfor _ in range(1000): time.sleep(0.1) # {accept}"
    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.Client(base_url=service.url, timeout=0.5) as client,
        client.stream(
            "POST",
            "/v1/run/python",
            json={"code": marker, "limits": {"wall_seconds": 100}},
            headers={"accept": accept},
        ) as response,
    ):
        response.read()
    service.await_true(lambda: "cancelled" in service.said(), "the run is cancelled")


def test_many_at_once_are_all_answered(service: Service) -> None:
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda n: service.output(f"print({n})"), range(200)))
    assert answers == [f"{n}\n" for n in range(200)]


def test_languages_tell_name_version_and_preloads(service: Service) -> None:
    (python,) = [
        entry
        for entry in service.client.get("/v1/languages").json()["languages"]
        if entry["name"] == "python"
    ]
    assert python["version"].startswith("Python 3.")
    assert python["ready"] is True
    assert "numpy" in python["preloads"]


def test_a_sleeping_run_does_not_hold_others_up(service: Service) -> None:
    sleeper = threading.Thread(target=service.run, args=("import time; time.sleep(8)",))
    sleeper.start()
    start = time.monotonic()
    for _ in range(20):
        service.output("print()")
    assert sleeper.is_alive(), f"20 runs took {time.monotonic() - start} s"
    sleeper.join()
