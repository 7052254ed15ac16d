"""The container answers, keeps its limits, and holds no privilege."""

import pytest

from soulbox_core import registry
from soulbox_core.settings import Settings
from tests.container.contained import CAPABILITIES, MEMORY, NAME, Contained, podman
from tests.integration.test_limits import CASES, Case


def test_every_language_says_hello_through_the_published_port(
    service: Contained, languages: tuple[str, ...]
) -> None:
    installed = registry.load(Settings())
    for name in languages:
        answer = service.run(installed.language(name).hello, language=name)
        assert (answer["status"], answer["stdout"]) == ("ok", "Hello, World!\n"), answer
    offered = service.client.get("/v1/languages").json()["languages"]
    assert sorted(entry["name"] for entry in offered) == sorted(languages)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_limits_hold(service: Contained, case: Case) -> None:
    answer = service.run(case.code, limits={"cpu_seconds": 5, "wall_seconds": 10, **case.limits})
    assert answer["status"] == case.status, answer
    assert service.output("print('next')") == "next\n"


def test_cells_are_what_they_are_elsewhere(service: Contained) -> None:
    """Own processes, an own name, no network, no cgroup, no file of the service's."""
    code = """
import os, socket
print(socket.gethostname(), sorted(int(p) for p in os.listdir("/proc") if p.isdigit()))
print([name for name in ("/cgroup", "/sys/fs/cgroup/memory.max", "/sys/class", "/var/lib/soulbox")
       if os.path.exists(name)])
print(open("/proc/self/status").read().split("CapBnd:")[1].split()[0])
for name in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"):
    try:
        open(name, "w"); print("open")
    except OSError:
        print("refused")
"""
    lines = service.output(code).splitlines()
    assert lines == ["soulbox [2]", "[]", "0" * 16, "refused", "refused"]


def test_it_has_the_least_of_privileges(service: Contained) -> None:
    assert service.inspected(".HostConfig.Privileged") == "false"
    assert service.inspected(".HostConfig.ReadonlyRootfs") == "true"
    added = set(service.inspected("json .EffectiveCaps").strip("[]").replace('"', "").split(","))
    assert added == CAPABILITIES
    assert service.inspected("json .HostConfig.Devices") in ("[]", "null")


def test_only_its_first_moment_is_root(service: Contained) -> None:
    users = podman("top", NAME, "user", "args").stdout.splitlines()[1:]
    assert any("soulbox serve" in line for line in users)
    assert {line.split()[0] for line in users if "soulbox serve" in line} == {"soulbox"}
    assert service.inside("id", "-u").strip() == "1000"


def test_nothing_can_be_written_but_the_volume_and_what_goes_with_it(service: Contained) -> None:
    service.inside("sh", "-c", "touch /var/lib/soulbox/x && rm /var/lib/soulbox/x")
    for place in ("/opt/soulbox", "/usr", "/usr/lib/soulbox", "/etc"):
        touched = podman("exec", "--user=soulbox", NAME, "touch", f"{place}/x", check=False)
        assert touched.returncode != 0, place
    assert podman("exec", NAME, "touch", "/opt/soulbox/x", check=False).returncode != 0


def test_the_limit_of_the_whole_covers_all_cells(service: Contained) -> None:
    """Leaves lie below the cgroup that --memory bounds, and the service reckons with that."""
    tell = (
        "cat /sys/fs/cgroup/memory.max 2>/dev/null"
        " || sed -n 's/^hierarchical_memory_limit //p' /cgroup/memory/*/memory.stat"
    )
    assert {int(one) for one in service.inside("sh", "-c", tell).split()} == {MEMORY}
    refused = service.post("print()", limits={"memory_bytes": MEMORY})
    assert refused.status_code in (422, 503), refused.text


def test_it_can_say_whether_it_is_well(service: Contained) -> None:
    podman("exec", NAME, "/usr/lib/soulbox/health")  # as whoever the container begins as
    service.inside("/usr/lib/soulbox/health")


def test_its_command_line_is_at_hand(service: Contained) -> None:
    key = service.inside("soulbox", "keys", "create", "--name", "ci").strip()
    assert " ci " in service.inside("soulbox", "keys", "list")
    whose = {"authorization": f"Bearer {key}"}
    assert service.client.get("/v1/languages", headers=whose).status_code == 200


def test_no_program_of_the_image_makes_one_root(service: Contained) -> None:
    find = "find / -xdev -type f -perm /6000; getcap -r /usr 2>/dev/null; true"
    assert podman("exec", NAME, "sh", "-c", find).stdout == ""
