"""Launcher, container and core are killed; what is left behind, and what is answered."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.patience import patient
from tests.integration.service import PYTHON_ALONE, Service, instance_id
from tests.notified import listening


@pytest.fixture
def own() -> Iterator[Service]:
    """A service that a test may break."""
    service = Service("test-survival")
    yield service
    service.stop(signal.SIGKILL)


def launchers(service: Service) -> set[int]:
    """Host pids of the first process of each of this service's containers."""
    mark = f"soulbox-{instance_id(service.instance)}"
    return {
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and _is_launcher(path, mark)
    }


def _is_launcher(path: Path, mark: str) -> bool:
    """PID 1 of a PID namespace one below ours, with the instance's control directory mounted."""
    try:
        pids = (path / "status").read_text().split("NSpid:")[1].split("\n")[0].split()
        return pids[1:] == ["1"] and mark in (path / "mountinfo").read_text()
    except (OSError, IndexError):
        return False


def traces(instance: str) -> list[str]:
    """Cgroups, runtime directories and processes that bear an instance's id."""
    found = [str(p) for p in Path("/sys/fs/cgroup").glob(f"*/**/{instance}")]
    found += [str(p) for p in Path("/sys/fs/cgroup").glob(f"**/soulbox-{instance}-*")]
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp"))
    found += [str(p) for p in runtime.glob(f"soulbox-{instance}*/*")]
    return found


def in_background(call: Any, *args: Any, **kwargs: Any) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call(*args, **kwargs)))
    thread.start()
    return thread, results


def test_a_killed_launcher_is_replaced_and_its_runs_get_a_clear_error(own: Service) -> None:
    code = "print('begun', flush=True)\nimport time; time.sleep(60)"
    thread, results = in_background(own.post, code, limits={"wall_seconds": 100})
    time.sleep(1)
    killed = launchers(own)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    thread.join(patient(30))
    (response,) = results
    assert response.status_code == 503
    assert response.json()["code"] == "cell_lost"
    own.await_true(own.ready, "the pool is whole again")
    assert own.output("print('again')") == "again\n"
    assert launchers(own).isdisjoint(killed)


def test_a_run_that_had_not_written_yet_is_run_again_when_its_launcher_is_killed(
    own: Service,
) -> None:
    thread, results = in_background(own.post, "import time; time.sleep(3); print('done')")
    time.sleep(1)
    for pid in launchers(own):
        os.kill(pid, signal.SIGKILL)
    thread.join(patient(30))
    (response,) = results
    assert (response.status_code, response.json()["stdout"]) == (200, "done\n")


def test_a_killed_core_leaves_nothing_that_its_next_life_does_not_remove(own: Service) -> None:
    instance = instance_id(own.instance)
    in_background(_swallow, own, "import time; time.sleep(60)")
    own.process.kill()
    own.process.wait()
    assert traces(instance)
    again = Service(own.instance)
    try:
        assert again.output("print(1)") == "1\n"
        names = {Path(trace).name for trace in traces(instance)}
        containers = {name.split("-")[2] for name in names if name.startswith("soulbox-")}
        languages = again.client.get("/v1/languages").json()["languages"]
        assert containers == {language["name"] for language in languages}
        assert len({name for name in names if name.startswith("soulbox-")}) == len(containers)
    finally:
        assert again.stop() == 0, again.said()
    assert traces(instance) == []
    assert launchers(again) == set()


def _swallow(service: Service, code: str) -> None:
    try:
        service.post(code)
    except Exception:  # the service is killed under the request
        return


def test_sigterm_lets_a_running_program_finish(own: Service) -> None:
    thread, results = in_background(own.run, "import time; time.sleep(2); print('done')")
    own.await_true(own.ready, "ready")
    time.sleep(0.5)
    own.process.send_signal(signal.SIGTERM)
    thread.join(patient(20))
    assert results[0]["stdout"] == "done\n"
    assert own.stop() == 0, own.said()
    assert traces(instance_id(own.instance)) == []


def test_who_stops_says_so_while_it_still_runs_programs_until_a_second_signal() -> None:
    service = Service("test-lame-duck", *PYTHON_ALONE, "server.lame_duck_seconds=1000")
    try:
        service.process.send_signal(signal.SIGTERM)
        service.await_true(
            lambda: service.client.get("/readyz").json()["status"] == "stopping", "it says so"
        )
        assert service.client.get("/readyz").status_code == 503
        assert service.client.get("/healthz").status_code == 200
        assert service.output("print('still')") == "still\n"
        assert service.stop() == 0, service.last_words
    finally:
        service.stop(signal.SIGKILL)


def test_systemd_is_told_when_it_serves_that_it_lives_and_for_how_long_it_drains(
    tmp_path: Path,
) -> None:
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
    with listening(told["NOTIFY_SOCKET"]) as systemd:
        service = Service("test-notify", *PYTHON_ALONE, "server.drain_seconds=20", env=told)
        try:
            ready = systemd.hear_until("READY=1")[-1]
            assert ready[0] == "READY=1"
            assert service.url in ready[1]
            assert systemd.hear() == systemd.hear() == ["WATCHDOG=1"]
        finally:
            assert service.stop() == 0, service.said()
        stopping = systemd.hear_until("STOPPING=1")[-1]
    assert "EXTEND_TIMEOUT_USEC=50000000" in stopping


def test_draining_kills_what_passes_its_deadline() -> None:
    service = Service("test-drain", *PYTHON_ALONE, "server.drain_seconds=1")
    thread, results = in_background(
        service.post, "import time; time.sleep(60)", limits={"wall_seconds": 100}
    )
    time.sleep(0.5)
    service.process.send_signal(signal.SIGINT)
    thread.join(patient(20))
    assert results[0].status_code == 503
    assert service.stop() == 0, service.said()
    assert traces(instance_id(service.instance)) == []


def test_a_second_service_on_the_same_instance_is_refused(own: Service) -> None:
    with pytest.raises(AssertionError, match="is running already"):
        Service(own.instance)


def test_an_address_that_is_taken_is_told_before_anything_is_started(own: Service) -> None:
    with pytest.raises(AssertionError, match=r"cannot listen on .*: Address already in use"):
        Service("test-taken", f"server.port={own.port}")
