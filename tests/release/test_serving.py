"""The wheels on a host that is set up: `soulbox serve`, and the conformance kit against it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.service import Service
from tests.release.checkout import PLUGINS, ROOT
from tests.release.installation import SECONDS, Installation

pytestmark = [pytest.mark.integration, pytest.mark.timeout(SECONDS)]


@contextmanager
def serving(
    installed: Installation, plugin: str, *flags: str, auth: bool = False
) -> Iterator[Service]:
    """A service with one plugin of the five, as if no other was installed."""
    others = ",".join(f'"{name}"' for name in PLUGINS if name != plugin)
    service = Service(
        *("wheels", f"plugins.blocked=[{others}]", *flags),
        env={"PYTHONPATH": ""},
        auth=auth,
        command=[installed.soulbox],
    )
    try:
        yield service
    finally:
        code = service.stop()
    assert code == 0, service.said()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_language_is_what_it_should_be(equipped: Installation, plugin: str) -> None:
    tests = ROOT / "plugins" / plugin / "tests" / "test_conformance.py"
    with serving(equipped, plugin) as service:
        said = equipped.kit(tests, url=service.url)
    passed = re.search(r"^(\d+) passed in ", said, re.MULTILINE)
    assert passed is not None, said
    assert int(passed[1]) > 20, said


def test_it_serves_those_who_have_a_key_until_it_is_told_to_end(
    installed: Installation, tmp_path: Path
) -> None:
    (tmp_path / "hello.py").write_text("print('Hello from a wheel')\n")
    with serving(installed, "python", "languages.python.preloads=[]", auth=True) as service:
        data = ("--data-binary", f"@{tmp_path}/hello.py")
        curl = ("curl", "-s", *data, f"{service.url}/v1/run/python")
        refused = subprocess.run(curl, capture_output=True, text=True, check=True)
        assert '"status":401' in refused.stdout
        key = ("-H", f"authorization: Bearer {service.key}")
        answered = subprocess.run((*curl, *key), capture_output=True, text=True, check=True)
        assert '"stdout":"Hello from a wheel\\n"' in answered.stdout
        languages = service.client.get("/v1/languages").json()["languages"]
        assert [each["name"] for each in languages] == ["python"]
    gone = subprocess.run(curl, capture_output=True, check=False)
    assert gone.returncode == 7, "nobody listens"
