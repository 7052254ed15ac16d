"""The container's flags are the same wherever they are written down, and go with the settings.

What they do is shown by tests/container, with the line that `podman-run` prints.
"""

import re
import shlex
from pathlib import Path

import msgspec

from soulbox_core.images import bake
from soulbox_core.settings import Settings, loading

DEPLOY = Path(__file__).parents[2] / "deploy"
CONTAINERFILE = (DEPLOY.parent / "Containerfile").read_text()
LINE = (DEPLOY / "container/podman-run").read_text()
CAPABILITIES = {"CHOWN", "SETUID", "SETGID"}
UNMASKED = {"/proc/*", "/sys/fs/cgroup"}


class Unit:
    """A unit file of systemd's, in which a key may be there again and again."""

    def __init__(self, text: str) -> None:
        self.lines = [line for line in text.splitlines() if line and line[0] not in "#["]

    def all(self, key: str) -> list[str]:
        """Every value of a key, in order."""
        return [line.partition("=")[2] for line in self.lines if line.partition("=")[0] == key]


QUADLET = Unit((DEPLOY / "quadlet/soulbox.container").read_text())
COMPOSE = msgspec.yaml.decode((DEPLOY / "compose/compose.yaml").read_bytes())["services"]["soulbox"]


def test_the_capabilities_are_the_same_everywhere() -> None:
    (of_line,) = re.findall(r"--cap-drop=ALL --cap-add=([A-Z,]+)", LINE)
    assert set(of_line.split(",")) == CAPABILITIES
    (of_quadlet,) = QUADLET.all("AddCapability")
    assert {word.removeprefix("CAP_") for word in of_quadlet.split()} == CAPABILITIES
    assert QUADLET.all("DropCapability") == ["all"]
    assert set(COMPOSE["cap_add"]) == CAPABILITIES
    assert COMPOSE["cap_drop"] == ["ALL"]


def test_what_is_unmasked_is_the_same_everywhere() -> None:
    assert set(re.findall(r"--security-opt=unmask=([^\s']+)", LINE)) == UNMASKED
    words = [word for value in QUADLET.all("PodmanArgs") for word in shlex.split(value)]
    of_quadlet = {w.partition("=unmask=")[2] for w in words if "=unmask=" in w}
    assert of_quadlet == UNMASKED
    assert {option.partition("=")[2] for option in COMPOSE["security_opt"]} == UNMASKED


def test_nothing_in_it_is_privileged_and_its_root_is_read_only() -> None:
    for text in (LINE, str(COMPOSE), str(QUADLET.lines)):
        assert "privileged" not in text
        assert "SYS_ADMIN" not in text
        assert "/dev/fuse" not in text
    assert "--read-only" in LINE
    assert QUADLET.all("ReadOnly") == ["true"]
    assert COMPOSE["read_only"] is True


def test_whoever_stops_it_waits_longer_than_it_drains() -> None:
    (of_line,) = re.findall(r"stop_timeout=(\d+)", LINE)
    (of_systemd,) = QUADLET.all("TimeoutStopSec")
    (of_quadlet,) = re.findall(r"--stop-timeout=(\d+)", " ".join(QUADLET.all("PodmanArgs")))
    assert int(of_systemd) > int(of_quadlet)
    of_compose = COMPOSE["stop_grace_period"].removesuffix("s")
    assert min(map(int, (of_line, of_quadlet, of_compose))) > Settings().server.drain_seconds


def test_variables_of_the_image_and_of_compose_are_settings() -> None:
    own = dict(re.findall(r"(SOULBOX_[A-Z_]+)='?([^\s']+)", CONTAINERFILE.replace("\\\n", "")))
    settings = loading.load(env=own)
    assert settings.server.host == "0.0.0.0"
    assert settings.images.stores == ("/usr/lib/soulbox/store",)
    loading.load(env=own | COMPOSE["environment"])


def test_baked_images_belong_to_the_user_that_reads_them() -> None:
    assert f"--uid {bake.OWNER} " in CONTAINERFILE
    assert f"soulbox:{bake.SUBORDINATE}:50000" in CONTAINERFILE
