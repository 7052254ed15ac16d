"""soulbox languages."""

from tests.cli.conftest import Invoke
from tests.cli.service import ScriptedService


def test_a_service_is_asked_and_its_faults_are_told(
    service: ScriptedService, invoke: Invoke
) -> None:
    done = invoke("languages", "--url", service.url)
    assert done.exit_code == 0, done.output
    assert ["python", "Python", "Python", "3.13.5", "py", "numpy"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    assert "broken: ImportError: no module" in done.stderr


def test_local_lists_the_installed_plugins_without_a_service(invoke: Invoke) -> None:
    done = invoke("languages", "--local", "--url", "http://127.0.0.1:1")
    assert done.exit_code == 0, done.output
    assert "python" in done.stdout


def test_local_respects_the_operators_settings(invoke: Invoke) -> None:
    done = invoke("languages", "--local", "--set", "languages.python.enabled=false")
    assert done.exit_code == 0, done.output
    assert "python" not in done.stdout
