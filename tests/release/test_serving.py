"""The wheels on a host that is set up: `soulbox serve`, and the conformance kit against it."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.service import Service
from tests.release.checkout import PLUGINS, ROOT
from tests.release.installation import SECONDS, Installation

pytestmark = [pytest.mark.integration, pytest.mark.timeout(SECONDS)]

THEIRS = {"PYTHONPATH": ""}


@pytest.fixture(scope="module")
def service(installed: Installation) -> Iterator[Service]:
    """With all languages, for anybody on this host."""
    service = Service("wheels", env=THEIRS, command=[installed.soulbox])
    yield service
    assert service.stop() == 0, service.said()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_language_is_what_it_should_be(
    equipped: Installation, service: Service, plugin: str
) -> None:
    tests = ROOT / "plugins" / plugin / "tests" / "test_conformance.py"
    said = equipped.kit(tests, url=service.url)
    passed = re.search(r"^(\d+) passed in ", said, re.MULTILINE)
    assert passed is not None, said
    assert int(passed[1]) > 20, said


def test_it_serves_those_who_have_a_key_until_it_is_told_to_end(
    installed: Installation, tmp_path: Path
) -> None:
    """With one plugin of the five, as if no other was installed."""
    others = [name for name in PLUGINS if name != "python"]
    service = Service(
        *("wheels-key", f"plugins.blocked={others}".replace("'", '"')),
        env=THEIRS,
        auth=True,
        command=[installed.soulbox],
    )
    try:
        (tmp_path / "hello.py").write_text("print('Hello from a wheel')\n")
        url = f"{service.url}/v1/run/python"
        curl = ("curl", "-s", "--data-binary", f"@{tmp_path}/hello.py", url)
        refused = subprocess.run(curl, capture_output=True, text=True, check=True)
        assert '"status":401' in refused.stdout
        key = ("-H", f"authorization: Bearer {service.key}")
        answered = subprocess.run((*curl, *key), capture_output=True, text=True, check=True)
        assert '"stdout":"Hello from a wheel\\n"' in answered.stdout
        languages = service.client.get("/v1/languages").json()["languages"]
        assert [each["name"] for each in languages] == ["python"]
    finally:
        code = service.stop()
    assert code == 0, service.said()
    gone = subprocess.run(curl, capture_output=True, check=False)
    assert gone.returncode == 7, "nobody listens"
