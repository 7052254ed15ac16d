"""Runtimes that are booted ahead of their step."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.integration.patience import patient
from tests.integration.service import Service
from tests.integration.trial import trial_service

COLD = {"memory_bytes": 200 << 20}
"""Another limit than what the runtime was told of when it booted."""


CALM_SECONDS = 0.25
"""After so long without a run, runtimes are booted again; a run that finds none starts cold."""


def output(service: Service, code: str, **options: Any) -> str:
    time.sleep(patient(CALM_SECONDS))
    return service.output(code, language="booted", **options)


def run(service: Service, code: str, **options: Any) -> dict[str, Any]:
    time.sleep(patient(CALM_SECONDS))
    return service.run(code, language="booted", **options)


IS_BOOTED = "print('STEP' in globals())"


def test_a_parked_runtime_runs_the_program(trial: Service) -> None:
    for _ in range(6):  # more than are parked
        assert output(trial, IS_BOOTED) == "True\n"


@pytest.mark.parametrize(
    ("options", "booted"),
    [
        ({"limits": COLD}, False),
        ({"env": {"COLD": "1"}}, False),
        ({"env": {"OTHER": "1"}}, True),
        ({"limits": {"wall_seconds": 5, "processes": 7}}, True),
        ({"limits": {"scratch_bytes": 32 << 20}}, False),
    ],
)
def test_what_a_booted_runtime_cannot_honour_starts_cold(
    trial: Service, options: dict[str, Any], booted: bool
) -> None:
    code = "print(hash('x') == hash('x'), 'STEP' in globals())"
    assert output(trial, code, **options) == f"True {booted}\n"


def test_both_paths_show_the_program_the_same(trial: Service) -> None:
    code = """
import json, os, resource, sys
print(json.dumps({
    "args": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "stdin": sys.stdin.read(),
    "files": sorted(os.listdir(".")), "uid": os.getuid() == os.geteuid() >= 10000,
    "limits": [resource.getrlimit(name) for name in (resource.RLIMIT_NOFILE,
        resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK)],
    "leader": os.getpid() == os.getsid(0) == os.getpgrp(), "umask": os.umask(0),
    "status": [line for line in open("/proc/self/status")
               if line.startswith(("Cap", "NoNewPrivs", "Seccomp:", "Groups"))],
    "pipes": [os.path.exists(f"/proc/self/fd/{n}") for n in range(8)],
    "network": [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line],
}))
"""
    options: dict[str, Any] = {
        "args": ["a", "b c", "{entrypoint}", ""],
        "env": {"ONE": "1", "USER": "me"},
        "stdin": "in\n",
        "limits": {"open_files": 50, "file_size_bytes": 12345},
    }
    warm = json.loads(output(trial, code, **options))
    cold = json.loads(output(trial, code, **{**options, "limits": {**options["limits"], **COLD}}))
    assert warm == cold
    assert warm["args"] == options["args"]
    assert warm["env"]["BOOTED"] == "yes"
    assert warm["limits"][:2] == [[50, 50], [12345, 12345]]
    assert warm["pipes"] == [True] * 3 + [False] * 5


@pytest.mark.parametrize("size", [0, 1, 65536, 1 << 20])
def test_stdin_comes_whole(trial: Service, size: int) -> None:
    code = "import sys; data = sys.stdin.buffer.read(); print(len(data), data == b'x' * len(data))"
    assert output(trial, code, stdin="x" * size) == f"{size} True\n"


def test_stdin_can_be_opened_by_its_path(trial: Service) -> None:
    source = "print(open('/dev/stdin').read(), end='')"
    assert trial.run(source, language="booted", stdin="given")["stdout"] == "given"


def test_stdin_that_nobody_reads_holds_nothing_up(trial: Service) -> None:
    assert output(trial, "print(1)", stdin="x" * (1 << 20)) == "1\n"
    answer = run(trial, "import os; os.close(0); print(1)", stdin="x" * (1 << 20))
    assert answer["stdout"] == "1\n"


def test_live_stdin_over_a_websocket(trial: Service) -> None:
    code = "while True:\n  line = input()\n  print('got', line)\n  if line == 'end': break"
    with connect(trial.url.replace("http", "ws") + "/v1/run/booted") as socket:
        socket.send(json.dumps({"code": code}))
        assert json.loads(socket.recv())["event"] == "started"
        for word in ("one", "two", "end"):
            socket.send(json.dumps({"stdin": f"{word}\n"}))
            assert json.loads(socket.recv()) == {"event": "stdout", "data": f"got {word}\n"}
        result = json.loads(socket.recv())
        assert (result["event"], result["status"]) == ("result", "ok")


def test_the_end_of_live_stdin_is_seen(trial: Service) -> None:
    with connect(trial.url.replace("http", "ws") + "/v1/run/booted") as socket:
        socket.send(json.dumps({"code": "import sys; print(len(sys.stdin.read()), flush=True)"}))
        assert json.loads(socket.recv())["event"] == "started"
        socket.send(json.dumps({"stdin": "abc"}))
        socket.send(json.dumps({"eof": True}))
        assert json.loads(socket.recv()) == {"event": "stdout", "data": "3\n"}


def test_files_are_there_and_outputs_come_back(trial: Service) -> None:
    binary = bytes(range(256)) * 1000
    body = {
        "files": {
            "src/main.py": "data = open('data/in', 'rb').read()\nopen('out', 'wb').write(data)",
            "data/in": {"base64": base64.b64encode(binary).decode()},
        },
        "entrypoint": "src/main.py",
        "outputs": ["out", "none"],
    }
    response = trial.client.post("/v1/run/booted", json=body)
    answer = response.json()
    assert answer["status"] == "ok", answer
    (file,) = answer["files"]
    assert base64.b64decode(file["content"]) == binary
    assert answer["outputs_missing"] == ["none"]


@pytest.mark.parametrize(
    ("code", "status", "exit_code", "signal"),
    [
        ("pass", "ok", 0, None),
        ("import sys; sys.exit(3)", "failed", 3, None),
        ("import os; os._exit(255)", "failed", 255, None),
        ("1 / 0", "failed", 1, None),
        ("def f(:", "failed", 1, None),
        ("import os; os.abort()", "signaled", None, "SIGABRT"),
        ("import os; os.kill(os.getpid(), 9)", "signaled", None, "SIGKILL"),
        ("import os; os.kill(0, 15)", "signaled", None, "SIGTERM"),
    ],
)
def test_its_end_is_told_as_it_was(
    trial: Service, code: str, status: str, exit_code: int | None, signal: str | None
) -> None:
    answer = run(trial, code)
    assert (answer["status"], answer["exit_code"], answer["signal"]) == (status, exit_code, signal)
    assert output(trial, "print('next')") == "next\n"


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        ("while True: pass", {"cpu_seconds": 1}, "cpu_time_exceeded"),
        ("import time; time.sleep(60)", {"wall_seconds": 1}, "wall_time_exceeded"),
        ("x = bytearray(1 << 30)", {}, "memory_exceeded"),
        ("while True: print('x' * 1000)", {"output_bytes": 5000}, "output_exceeded"),
        ("import os\nwhile True: os.fork()", {"processes": 8}, "process_limit"),
        (
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
            "open('x', 'w').write('x' * 9999)",
            {"file_size_bytes": 100},
            "file_size_exceeded",
        ),
        (
            "for n in range(100): open(str(n), 'wb').write(b'x' * (1 << 20))",
            {"scratch_bytes": 4 << 20},
            "scratch_exceeded",
        ),
    ],
)
def test_limits_hold_in_a_booted_runtime(
    trial: Service, code: str, limits: dict[str, Any], status: str
) -> None:
    answer = run(trial, code, limits=limits)
    assert answer["status"] == status, answer
    assert output(trial, "print('next')") == "next\n"


def test_nobody_else_is_in_the_cell_when_the_program_runs(trial: Service) -> None:
    """Who showed its step in is on the way out by then, and has no memory to tamper with."""
    code = """
import os, time
own = str(os.getpid())
def others(): return [name for name in os.listdir("/proc") if name.isdigit() and name != own]
opened = []
for name in others():
    for file, flags in (("mem", os.O_RDWR), ("maps", os.O_RDONLY), ("environ", os.O_RDONLY)):
        try:
            descriptor = os.open(f"/proc/{name}/{file}", flags)
            if os.pread(descriptor, 1, 0): opened.append(file)
            os.close(descriptor)
        except OSError:
            pass
    try:
        opened += [os.readlink(f"/proc/{name}/fd/{fd}") for fd in os.listdir(f"/proc/{name}/fd")]
    except OSError:
        pass
deadline = time.monotonic() + 10
while others() and time.monotonic() < deadline: pass
print(opened, others(), sorted(os.listdir("/proc/self/fd"))[:-1])
"""
    for _ in range(20):
        assert output(trial, code) == "[] [] ['0', '1', '2']\n"


def test_no_socket_to_the_core_is_to_be_found(trial: Service) -> None:
    code = """
import os
for fd in range(3, 300):
    try: print(fd, os.readlink(f"/proc/self/fd/{fd}"))
    except OSError: pass
print(sorted(os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in range(3)))
"""
    assert output(trial, code) == "['pipe', 'pipe', 'pipe']\n"


def test_what_the_runtime_used_while_it_booted_is_not_the_program_s(trial: Service) -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU))"
    limits = {"cpu_seconds": 1}
    soft, hard = json.loads(output(trial, code, limits=limits).replace("(", "[").replace(")", "]"))
    assert soft == hard
    assert soft >= 3  # a second more than its own, and one for what came before
    burn = "import time\nwhile time.process_time() < 0.5: pass\nprint('done')"
    assert output(trial, burn, limits=limits) == "done\n"
    assert run(trial, burn, limits=limits)["usage"]["cpu_seconds"] < 1


def test_an_end_that_is_forged_early_ends_the_forger_s_own_run(trial: Service) -> None:
    code = (
        "import os, time; print('before', flush=True)\n"
        "os.write(os.open('/soulbox/exit', os.O_WRONLY), b'0')\n"
        "time.sleep(1); print('after', flush=True); os._exit(7)"
    )
    answer = run(trial, code)
    assert (answer["status"], answer["exit_code"], answer["stdout"]) == ("ok", 0, "before\n")
    assert output(trial, "print('next')") == "next\n"


def test_an_end_is_not_forged_by_other_bytes_or_a_fifo_that_is_full(trial: Service) -> None:
    code = (
        "import os\nfd = os.open('/soulbox/exit', os.O_WRONLY | os.O_NONBLOCK)\n"
        "os.close(fd)\nos._exit(7)"
    )
    assert run(trial, code)["exit_code"] == 7


def test_children_that_outlive_the_program_are_gone_with_it(trial: Service) -> None:
    code = (
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(100)\n"
        "  print('late', flush=True)\nprint('done')"
    )
    assert output(trial, code) == "done\n"


def test_of_many_runs_at_once_those_that_find_no_runtime_start_cold(trial: Service) -> None:
    time.sleep(patient(CALM_SECONDS))

    def one(number: int) -> bool:
        answer = trial.output(f"print({number}, 'STEP' in globals())", language="booted")
        said, booted = answer.split()
        assert said == str(number)
        return booted == "True"

    with ThreadPoolExecutor(16) as threads:
        booted = list(threads.map(one, range(48)))
    assert 0 < sum(booted) < 48


def test_a_runtime_that_does_not_boot_takes_down_its_own_language_alone() -> None:
    names = {"dies", "hangs", "floods", "silent", "missing"}
    flags = ("pool.making_seconds=2", "pool.parked=1")
    with trial_service("test-broken", *flags, module="soulbox_broken", whole=False) as service:
        failed = [f"{name} does not start" for name in names]
        service.await_true(lambda: all(each in service.said() for each in failed), "all tried")

        def ready() -> dict[str, bool]:
            languages: dict[str, bool] = service.client.get("/readyz").json()["languages"]
            return languages

        service.await_true(lambda: ready()["sound"], "the sound one works")
        assert {name for name, is_ready in ready().items() if is_ready}.isdisjoint(names)
        assert service.output("print('works')", language="sound") == "works\n"
        for name in names:
            response = service.post("print(1)", language=name)
            assert response.status_code == 503, (name, response.text)
        said = service.said()
        assert "no such module: frobnicate" in said
        assert "cannot start no-such-runtime: No such file or directory" in said
        assert "the runtime ended before it was ready" in said
        assert "a cell was not ready in time" in said
        for _ in range(3):
            assert service.output("print('works')", language="sound") == "works\n"
