"""Claims of docs/threats.md that no other test shows."""

import os
import signal
import socket
import time
from pathlib import Path

from tests.integration.service import Service

FORGE = "import os; os.write(os.open('/soulbox/exit', os.O_WRONLY), b'0')\n"
HASH = "print(hash('soulbox'))"
HEADER_SECONDS = 30.0
"""Much more than the HTTP server's patience, and less than for ever."""


def test_a_forged_exit_report_ends_the_forgers_own_run(service: Service) -> None:
    """What it says afterwards is lost, and so is the code it exits with."""
    late = "import sys, time; time.sleep(1); print('after', flush=True); sys.exit(7)"
    answer = service.run(f"print('before', flush=True)\n{FORGE}{late}")
    assert (answer["status"], answer["exit_code"]) == ("ok", 0)
    assert answer["stdout"] == "before\n"
    assert service.output("print('next')") == "next\n"


def test_a_forged_exit_report_does_not_hide_that_memory_ran_out(service: Service) -> None:
    bomb = (
        "import os\nif os.fork() == 0:\n  x = bytearray(1 << 30)\n  os._exit(0)\n"
        f"print(os.wait(), flush=True)\n{FORGE}"
    )
    assert service.run(bomb)["status"] == "memory_exceeded"


def test_the_exit_fifo_cannot_be_read_or_replaced(service: Service) -> None:
    code = """
import os
for attempt in (
    lambda: os.open("/soulbox/exit", os.O_RDONLY | os.O_NONBLOCK),
    lambda: os.open("/soulbox/exit", os.O_RDWR | os.O_NONBLOCK),
    lambda: os.unlink("/soulbox/exit"),
    lambda: os.rename("/soulbox/exit", "/soulbox/x"),
    lambda: os.chmod("/soulbox/exit", 0o777),
    lambda: os.mkfifo("/soulbox/other"),
):
    try:
        attempt()
        print("done")
    except OSError:
        print("refused")
"""
    assert set(service.output(code).split()) == {"refused"}


def test_cells_of_one_container_share_its_hash_secret_and_a_cold_one_does_not(
    service: Service,
) -> None:
    """A weakness that docs/threats.md owns up to. It ends with the container."""
    warm = {service.output(HASH) for _ in range(3)}
    cold = {service.output(HASH, env={"PYTHONHASHSEED": "random"}) for _ in range(3)}
    assert len(warm) == 1
    assert len(cold) == 3
    assert warm.isdisjoint(cold)


def test_a_replaced_container_has_another_hash_secret() -> None:
    service = Service("test-secret", "pool.container_cells=5", "languages.python.preloads=[]")
    try:
        first = service.output(HASH)
        service.await_true(lambda: service.output(HASH) != first, "the container is replaced")
    finally:
        assert service.stop() == 0, service.said()


def test_a_connection_without_a_whole_header_is_closed(service: Service) -> None:
    """One that goes on sending, byte by byte; one that says nothing has server.idle_seconds."""
    with socket.create_connection(("127.0.0.1", service.port)) as slow:
        slow.sendall(b"POST /v1/run/python HTTP/1.1\r\nhost: x\r\nx-long: ")
        slow.settimeout(0.5)
        deadline = time.monotonic() + HEADER_SECONDS
        while not _closed(slow):
            assert time.monotonic() < deadline, "a slow header is waited for without end"
            _send(slow, b"x")


def _closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def _send(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except ConnectionError:
        return  # `_closed` will see it


def test_a_forged_exit_report_cannot_delay_the_bringing_back_of_files(service: Service) -> None:
    sleep = "import time\nopen('kept', 'w').write('x')\nwhile True: time.sleep(1)"
    answer = service.run(FORGE + sleep, outputs=["kept"], limits={"wall_seconds": 5})
    assert answer["status"] == "ok"
    assert answer["outputs_missing"] + [file["path"] for file in answer["files"]] == ["kept"]


def test_a_forked_child_that_ends_well_is_not_the_end_of_the_run(service: Service) -> None:
    code = "import os, sys, time\nif os.fork():\n  os.wait(); print('parent'); sys.exit(3)\n"
    answer = service.run(code)
    assert (answer["stdout"], answer["exit_code"]) == ("parent\n", 3)


def test_a_throttled_cell_dies_at_once_and_gives_its_memory_back(service: Service) -> None:
    code = "x = bytearray(64 << 20)\nimport threading\n" + (
        "for _ in range(30): threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()"
    )
    limits = {"cpus": 0.01, "wall_seconds": 1, "memory_bytes": 128 << 20}
    before = time.monotonic()
    assert service.run(code, limits=limits)["status"] == "wall_time_exceeded"
    assert time.monotonic() - before < 5


def test_a_throttled_cells_leaf_serves_the_next_with_other_limits(service: Service) -> None:
    for _ in range(20):
        small = {"cpus": 0.5, "memory_bytes": 32 << 20, "processes": 8}
        assert service.run("print(1)", limits=small)["status"] == "ok"
        assert service.run("x = bytearray(100 << 20)")["status"] == "ok"
    assert "lost" not in service.said()


def test_a_program_is_alone_in_its_session_and_process_group(service: Service) -> None:
    code = "import os; print(os.getpid() == os.getpgrp() == os.getsid(0))"
    assert service.output(code) == "True\n"


def test_dev_stdout_and_stderr_can_be_opened_for_writing(service: Service) -> None:
    answer = service.run("import os; os.system('echo out >/dev/stdout; echo err >/dev/stderr')")
    assert (answer["stdout"], answer["stderr"]) == ("out\n", "err\n")


def test_endless_links_and_greedy_globs_hold_nothing_up(service: Service) -> None:
    code = """
import os
for name in "abc": os.makedirs(name); os.symlink("/box", name + "/loop")
for i in range(3000): open(f"a/{i}", "w")
"""
    answer = service.run(code, outputs=["**/**/**/**/*.none", "a/1"])
    assert (answer["status"], answer["outputs_missing"]) == ("ok", ["**/**/**/**/*.none"])
    assert [file["path"] for file in answer["files"]] == ["a/1"]


def test_podman_is_started_again_when_it_died(service: Service) -> None:
    own = Service("test-podman", "languages.python.preloads=[]", "pool.container_cells=5")
    try:
        for child in children(own.process.pid):
            os.kill(child, signal.SIGKILL)
        for number in range(12):
            assert own.output(f"print({number})") == f"{number}\n"
        own.await_true(lambda: "starting it again" in own.said(), "Podman is started again")
    finally:
        assert own.stop() == 0, own.said()


def children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
