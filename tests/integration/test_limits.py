"""Each limit, hit by a real program, ends it with its status; the next request is served."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from tests.integration.patience import patient
from tests.integration.service import Service

GRACE_SECONDS = 5.0
"""How much later than its limit a program may end on a busy test machine."""


class Case(NamedTuple):
    name: str
    code: str
    status: str
    limits: Mapping[str, float] = MappingProxyType({})
    stderr: str = ""


CASES = [
    Case("sleep", "import time; time.sleep(100)", "wall_time_exceeded", {"wall_seconds": 0.5}),
    Case("busy_loop", "while True: pass", "cpu_time_exceeded", {"cpu_seconds": 0.5}),
    Case(
        "busy_loop_in_every_child",
        "import os\nfor _ in range(4): os.fork()\nwhile True: pass",
        "cpu_time_exceeded",
        {"cpu_seconds": 0.5, "processes": 32},
    ),
    Case("memory_bomb", "x = []\nwhile True: x.append(bytearray(1 << 20))", "memory_exceeded"),
    Case(
        "memory_bomb_in_a_child",
        "import os, time\nif os.fork() == 0:\n  x = bytearray(1 << 30)\nos.wait()",
        "memory_exceeded",
    ),
    Case(
        "memory_bomb_in_shared_memory",
        "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(bytes(1 << 20))",
        "memory_exceeded",
        {"memory_bytes": 64 << 20, "scratch_bytes": 256 << 20, "file_size_bytes": 256 << 20},
    ),
    Case("endless_output", "while True: print('x' * 1000)", "output_exceeded"),
    Case(
        "endless_output_on_stderr",
        "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
        "output_exceeded",
    ),
    Case("fork_bomb", "import os\nwhile True: os.fork()", "process_limit"),
    Case(
        "fork_bomb_that_swallows_errors",
        "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
        "cpu_time_exceeded",
        {"cpu_seconds": 1},
    ),
    Case(
        "a_thousand_threads",
        "import threading, time\n"
        "for _ in range(1000): threading.Thread(target=time.sleep, args=(1,)).start()",
        "process_limit",
        stderr="can't start new thread",
    ),
    Case(
        "open_files",
        "x = [open('/dev/null') for _ in range(1000)]",
        "failed",
        {"open_files": 32},
        "Too many open files",
    ),
    Case(
        "file_size_as_an_error",
        "open('big', 'wb').write(bytes(2 << 20))",
        "failed",
        {"file_size_bytes": 1 << 20},
        "File too large",
    ),
    Case(
        "file_size_as_a_signal",
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "open('big', 'wb').write(bytes(2 << 20))",
        "file_size_exceeded",
        {"file_size_bytes": 1 << 20},
    ),
    Case(
        "disk_filler",
        "import itertools\n"
        "for i in itertools.count(): open(f'/tmp/{i}', 'wb').write(bytes(1 << 20))",
        "scratch_exceeded",
        stderr="No space left on device",
    ),
    Case(
        "inode_filler",
        "import itertools\nfor i in itertools.count(): open(f'/tmp/{i}', 'wb')",
        "scratch_exceeded",
        {"memory_bytes": 1 << 30},
        "No space left on device",
    ),
    Case(
        "stopped_process",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "wall_time_exceeded",
        {"wall_seconds": 0.5},
    ),
    Case(
        "ignores_sigterm",
        "import signal, time\n"
        "for n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\n"
        "while True: time.sleep(1)",
        "wall_time_exceeded",
        {"wall_seconds": 0.5},
    ),
    Case("closed_stdout", "import os; os.close(1); os.close(2)", "ok"),
    Case(
        "closed_stdout_and_goes_on",
        "import os, time; os.close(1); os.close(2); time.sleep(100)",
        "wall_time_exceeded",
        {"wall_seconds": 0.5},
    ),
    Case(
        "daemonised_grandchild",
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: time.sleep(100)\n"
        "  os._exit(0)\nos.wait()",
        "ok",
    ),
    Case(
        "grandchild_that_floods_stdout",
        "import os\nif os.fork() == 0:\n  while True: os.write(1, b'x' * 65536)\n"
        "import time; time.sleep(100)",
        "output_exceeded",
    ),
    Case("signal", "import os; os.kill(os.getpid(), 11)", "signaled"),
    Case("own_sigkill", "import os; os.kill(os.getpid(), 9)", "signaled"),
    Case("exit_code", "raise SystemExit(3)", "failed"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_program_ends_in_its_status_and_the_next_is_served(service: Service, case: Case) -> None:
    limits = {"wall_seconds": patient(10.0), **case.limits}
    answer = service.run(case.code, limits=limits)
    assert answer["status"] == case.status, answer
    assert case.stderr in answer["stderr"]
    assert answer["usage"]["wall_seconds"] < limits["wall_seconds"] + patient(GRACE_SECONDS)
    assert service.output("print('next')") == "next\n"


def test_memory_limit_is_the_one_asked_for(service: Service) -> None:
    code = "x = bytearray(100 << 20); print(len(x))"
    small: dict[str, Any] = {"memory_bytes": 64 << 20}
    assert service.run(code, limits=small)["status"] == "memory_exceeded"
    answer = service.run(code, limits={"memory_bytes": 512 << 20})
    assert answer["status"] == "ok"
    assert answer["usage"]["memory_peak_bytes"] > 100 << 20


def test_swap_does_not_stretch_the_memory_limit(service: Service) -> None:
    code = "x = []\nfor _ in range(512): x.append(bytearray(1 << 20))"
    assert service.run(code, limits={"memory_bytes": 128 << 20})["status"] == "memory_exceeded"


def test_cpus_bound_the_cpu_time_in_a_wall_second(service: Service) -> None:
    code = "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
    answer = service.run(code, limits={"cpus": 0.2})
    assert answer["status"] == "ok"
    assert answer["usage"]["cpu_seconds"] < 0.5


def test_scratch_space_is_as_large_as_asked_for(service: Service) -> None:
    code = "import os; s = os.statvfs('/tmp'); print(s.f_frsize * s.f_blocks)"
    assert service.output(code, limits={"scratch_bytes": 8 << 20}) == f"{8 << 20}\n"
    assert service.output(code) == f"{64 << 20}\n"


def test_output_up_to_the_limit_is_kept_and_told_truncated(service: Service) -> None:
    answer = service.run("print('x' * 5000)", limits={"output_bytes": 1000})
    assert answer["status"] == "output_exceeded"
    assert answer["stdout"] == "x" * 1000
    assert answer["truncated"] == ["stdout"]


def test_output_of_exactly_the_limit_is_no_fault(service: Service) -> None:
    answer = service.run("print('x' * 999)", limits={"output_bytes": 1000})
    assert (answer["status"], answer["truncated"]) == ("ok", [])


@pytest.mark.parametrize(
    "limit",
    [
        "memory_bytes",
        "cpu_seconds",
        "wall_seconds",
        "cpus",
        "processes",
        "open_files",
        "file_size_bytes",
        "scratch_bytes",
        "output_bytes",
        "output_file_bytes",
    ],
)
def test_more_than_the_ceiling_is_refused_with_the_ceiling_named(
    service: Service, limit: str
) -> None:
    response = service.post("print()", limits={limit: 1 << 50})
    assert response.status_code == 422
    problem = response.json()
    assert problem["code"] == "limit_above_ceiling"
    assert problem["limit"] == limit
    assert problem["ceiling"] > 0


@pytest.mark.parametrize("limit", ["wall_seconds", "cpu_seconds"])
def test_what_was_printed_before_the_time_was_up_is_in_the_answer(
    service: Service, limit: str
) -> None:
    code = "print('so far')\nwhile True: pass"
    answer = service.run(code, limits={limit: 0.5})
    assert (answer["stdout"], answer["status"]) == (
        "so far\n",
        limit.replace("seconds", "time_exceeded"),
    )
    assert (answer["exit_code"], answer["signal"]) == (None, "SIGKILL")


def test_a_program_cannot_talk_past_its_last_call(service: Service) -> None:
    code = """
import os, signal
for n in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(n, signal.SIG_IGN)
while True: os.getpid()
"""
    answer = service.run(code, limits={"wall_seconds": 0.5})
    assert answer["status"] == "wall_time_exceeded"
    assert answer["usage"]["wall_seconds"] < 0.5 + patient(GRACE_SECONDS)


def test_a_killed_cell_leaves_no_process(service: Service) -> None:
    code = (
        "import os, time\nfor _ in range(5):\n"
        "  if os.fork() == 0:\n    os.setsid(); time.sleep(1000)\ntime.sleep(1000)"
    )
    before = _processes()
    assert service.run(code, limits={"wall_seconds": 0.5})["status"] == "wall_time_exceeded"
    service.await_true(lambda: _processes() <= before + 2, "the cell's processes are gone")


def _processes() -> int:
    return sum(name.isdigit() for name in os.listdir("/proc"))
