"""soulbox run: as if the program ran here."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke
from tests.cli.service import RESULT, ScriptedService, output

SECONDS = 20


def test_request_carries_code_name_arguments_and_stdin(
    service: ScriptedService, invoke: Invoke, program: Path
) -> None:
    done = invoke("run", "--url", service.url, str(program), "--", "-x", "two", stdin=b"in\n")
    assert done.exit_code == 0, done.output
    assert service.path == "/v1/run/python"
    assert service.accept == "application/x-ndjson"
    assert service.request == {
        "code": "print('Hello')\n",
        "entrypoint": "hello.py",
        "args": ["-x", "two"],
        "stdin": "in\n",
        "encoding": "base64",
    }


def test_stdin_and_source_that_are_not_text_go_as_they_are(
    service: ScriptedService, invoke: Invoke, program: Path
) -> None:
    program.write_bytes(b"\xff\n")
    invoke("run", "--url", service.url, str(program), stdin=b"\x80")
    assert service.request["code"] == {"base64": "/wo="}
    assert service.request["stdin"] == {"base64": "gA=="}


def test_output_keeps_its_bytes_and_its_stream(
    service: ScriptedService, invoke: Invoke, program: Path
) -> None:
    service.events = [
        {"event": "started", "id": "1", "language": "python"},
        output("stdout", b"\xff\x00out"),
        output("stderr", b"err\n"),
        RESULT,
    ]
    done = invoke("run", "--url", service.url, str(program))
    assert done.stdout_bytes == b"\xff\x00out"
    assert done.stderr_bytes == b"err\n"


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        ({"status": "ok", "exit_code": 0}, 0, ""),
        ({"status": "failed", "exit_code": 3}, 3, ""),
        ({"status": "signaled", "exit_code": None, "signal": "SIGSEGV"}, 139, "SIGSEGV"),
        ({"status": "signaled", "exit_code": None, "signal": "SIGTERM"}, 143, "SIGTERM"),
        (
            {"status": "wall_time_exceeded", "exit_code": None, "signal": "SIGKILL"},
            124,
            "wall_time",
        ),
        ({"status": "cpu_time_exceeded", "exit_code": None, "signal": "SIGKILL"}, 124, "cpu_time"),
        ({"status": "memory_exceeded", "exit_code": None, "signal": "SIGKILL"}, 137, "memory"),
        ({"status": "memory_exceeded", "exit_code": 1}, 137, "memory"),
        ({"status": "output_exceeded", "exit_code": None, "signal": "SIGKILL"}, 137, "output"),
        ({"status": "process_limit", "exit_code": 1}, 1, "process_limit"),
        ({"status": "scratch_exceeded", "exit_code": 4}, 4, "scratch"),
        (
            {"status": "file_size_exceeded", "exit_code": None, "signal": "SIGXFSZ"},
            153,
            "file_size",
        ),
    ],
)
def test_exit_code_and_message_of_each_end(
    service: ScriptedService,
    invoke: Invoke,
    program: Path,
    result: dict[str, Any],
    code: int,
    said: str,
) -> None:
    service.events = [{"event": "result", **result}]
    done = invoke("run", "--url", service.url, str(program))
    assert done.exit_code == code
    assert said in done.stderr
    assert bool(done.stderr) == bool(said)


def test_language_can_be_named_and_then_the_suffix_does_not_matter(
    service: ScriptedService, invoke: Invoke, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("1")
    assert invoke("run", "--url", service.url, "-l", "lua", str(script)).exit_code == 0
    assert service.path == "/v1/run/lua"


def test_an_unknown_suffix_names_the_languages_there_are(
    service: ScriptedService, invoke: Invoke, tmp_path: Path
) -> None:
    script = tmp_path / "script.xyz"
    script.write_text("1")
    done = invoke("run", "--url", service.url, str(script))
    assert done.exit_code == 125
    assert "--language: python" in done.stderr


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (422, json.dumps({"detail": "cpus = 9 is above the ceiling"}).encode(), "cpus = 9"),
        (502, b"<html>bad gateway</html>", "HTTP 502"),
    ],
)
def test_a_refusal_is_told_in_the_services_words(
    service: ScriptedService, invoke: Invoke, program: Path, status: int, body: bytes, said: str
) -> None:
    service.problem = (status, body)
    done = invoke("run", "--url", service.url, str(program))
    assert done.exit_code == 125
    assert said in done.stderr


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"event": "error", "detail": "the cell died under the run"}, "the cell died"),
        ({"event": "stdout", "data": 7}, "does not answer like SoulBox"),
        ({"event": "started"}, "without a result"),
    ],
)
def test_a_stream_that_ends_badly_is_the_services_failure_not_the_programs(
    service: ScriptedService, invoke: Invoke, program: Path, event: dict[str, Any], said: str
) -> None:
    service.events = [event]
    done = invoke("run", "--url", service.url, str(program))
    assert done.exit_code == 125
    assert said in done.stderr


def test_no_service_says_how_to_get_one(invoke: Invoke, program: Path) -> None:
    done = invoke("run", "--url", "http://127.0.0.1:1", str(program))
    assert done.exit_code == 125
    assert "scripts/serve" in done.stderr


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    service: ScriptedService, invoke: Invoke, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert invoke("run", "--url", service.url, str(program)).exit_code == 0


def start(service: ScriptedService, program: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (sys.executable, "-m", "soulbox_core", "run", "--url", service.url, str(program)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for(event: threading.Event) -> Callable[[], object]:
    return lambda: event.wait(SECONDS)


def test_output_is_written_as_soon_as_it_comes(service: ScriptedService, program: Path) -> None:
    seen = threading.Event()
    service.events = [output("stdout", b"first"), wait_for(seen), RESULT]
    with start(service, program) as running:
        assert running.stdout is not None
        assert running.stdout.read(5) == b"first"
        assert running.poll() is None
        seen.set()
        assert running.wait(SECONDS) == 0


def test_ctrl_c_hangs_up_so_that_the_program_is_killed(
    service: ScriptedService, program: Path
) -> None:
    gone = service.client_gone

    def write_until_gone() -> None:
        service.events.extend([output("stderr", b"x" * 65536), lambda: gone.wait(0.01)])
        if len(service.events) < 4000:
            service.events.append(write_until_gone)

    service.events = [output("stdout", b"up"), write_until_gone]
    with start(service, program) as running:
        assert running.stdout is not None
        assert running.stdout.read(2) == b"up"
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=SECONDS)
        assert running.returncode == 130
        assert gone.wait(SECONDS)


def test_a_reader_that_leaves_ends_the_run_without_a_traceback(
    service: ScriptedService, program: Path
) -> None:
    gone = threading.Event()
    service.events = [
        output("stdout", b"first"),
        wait_for(gone),
        *[output("stdout", b"x" * 99999)] * 9,
    ]
    with start(service, program) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(5)
        running.stdout.close()
        gone.set()
        assert running.wait(SECONDS) == 141
        assert running.stderr.read() == b""
