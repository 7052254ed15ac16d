"""The container is started, killed, stopped, and started where it must not."""

import os
import threading
from collections.abc import Iterator

import pytest

from tests.container.contained import LINE, NAME, Contained, only, podman, printed_line, words_of

HELLO = "print('Hello, World!')"


def killed() -> None:
    """Kill it as the kernel would, and let Podman, which does so by itself, clean up."""
    podman("kill", "--signal=KILL", NAME)
    podman("wait", NAME)
    podman("container", "cleanup", NAME, check=False)


@pytest.fixture
def own(image: str) -> Iterator[Contained]:
    """A container that a test may break."""
    with Contained(image, *only(["python"])) as contained:
        yield contained


def test_killed_and_started_again_it_knows_what_it_knew(own: Contained) -> None:
    key = own.client.headers["authorization"]
    ran = own.run(HELLO)["id"]
    killed()
    own.start()
    assert own.client.headers["authorization"] == key
    assert own.output(HELLO) == "Hello, World!\n"
    assert own.client.get(f"/v1/executions/{ran}").json()["status"] == "ok"


def test_killed_it_can_be_started_as_it_is(own: Contained) -> None:
    """As systemd or a person would: `podman start`, without a new container."""
    killed()
    podman("start", NAME)
    own.line = "true"
    own.start()
    assert own.output(HELLO) == "Hello, World!\n"


def test_a_volume_that_is_roots_is_given_to_the_service(own: Contained) -> None:
    """As one is that another than Podman made."""
    podman("stop", NAME)
    options = ("--rm", "--network=none", f"--volume={NAME}:/state", "--entrypoint=chown")
    same = words_of(own.line, "--uidmap", "--gidmap", "--ulimit")
    podman("run", *options, *same, own.image, "root:root", "/state")
    own.start()
    assert own.output(HELLO) == "Hello, World!\n"


def test_stopped_it_lets_what_runs_end_and_ends_well(own: Contained) -> None:
    code = "import time; print('begun', flush=True); time.sleep(4); print('done')"
    with own.client.stream(
        "POST",
        "/v1/run/python",
        json={"code": code},
        headers={"accept": "application/x-ndjson"},
    ) as response:
        lines = response.iter_lines()
        while "begun" not in next(lines):
            pass
        stopping = threading.Thread(target=podman, args=("stop", NAME))
        stopping.start()
        (result,) = [line for line in lines if '"event":"result"' in line]
        stopping.join()
    assert '"status":"ok"' in result
    assert own.inspected(".State.ExitCode") == "0"


def test_without_a_cgroup_subtree_it_does_not_start_and_says_what_gives_one(image: str) -> None:
    same = words_of(printed_line(image), "--uidmap", "--gidmap", "--ulimit")
    done = podman("run", "--rm", "--network=none", *same, image, check=False)
    assert done.returncode == 2
    assert "no cgroup subtree" in done.stderr
    assert "podman-run | sh -s - IMAGE" in done.stderr


def test_as_root_of_the_host_it_does_not_start(image: str) -> None:
    """Its own users are what keeps root of the container from the host's /proc/sys."""
    limits = words_of(printed_line(image), "--ulimit")
    options = ("--rm", "--network=none", "--security-opt=unmask=/proc/*", *limits)
    done = podman("run", *options, image, check=False)
    assert done.returncode == 2
    is_root = os.getuid() == 0
    assert ("root of this container is root of the host" in done.stderr) is is_root


def test_the_image_prints_the_very_script_that_prints_the_line(image: str, own: Contained) -> None:
    limits = words_of(own.line, "--ulimit")
    script = podman("run", "--rm", "--network=none", *limits, image, "podman-run").stdout
    assert script == LINE.read_text()
