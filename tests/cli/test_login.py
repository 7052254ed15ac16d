"""Which key a command shows, and where it is kept."""

from pathlib import Path

import pytest

from soulbox_core.store.lock import locked
from tests.cli.conftest import Invoke
from tests.cli.service import ScriptedService


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SOULBOX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("SOULBOX_KEY", raising=False)
    return tmp_path


def credentials(home: Path) -> Path:
    return home / "config" / "soulbox" / "credentials.json"


def test_a_login_is_kept_for_the_next_command(
    service: ScriptedService, invoke: Invoke, home: Path, program: Path
) -> None:
    service.key = "sbx_good"
    done = invoke("login", "--url", service.url, stdin=b"sbx_good\n")
    assert done.exit_code == 0, done.output
    assert "sbx_good" not in done.output
    assert credentials(home).stat().st_mode & 0o777 == 0o600
    assert credentials(home).parent.stat().st_mode & 0o777 == 0o700
    assert invoke("run", str(program), "--url", service.url).exit_code == 0
    assert invoke("languages", "--url", f"{service.url}/").exit_code == 0


def test_a_wrong_key_is_not_kept(service: ScriptedService, invoke: Invoke, home: Path) -> None:
    service.key = "sbx_good"
    done = invoke("login", "--url", service.url, stdin=b"sbx_bad")
    assert done.exit_code != 0
    assert "run `soulbox login`" in str(done.exception)
    assert not credentials(home).exists()


def test_the_variable_comes_first(
    service: ScriptedService, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("login", "--url", service.url, stdin=b"sbx_kept")
    monkeypatch.setenv("SOULBOX_KEY", "sbx_named")
    invoke("languages", "--url", service.url)
    assert service.shown == "Bearer sbx_named"


def test_a_key_is_for_the_service_that_it_was_kept_for(
    service: ScriptedService, invoke: Invoke, home: Path
) -> None:
    invoke("login", "--url", service.url.replace("127.0.0.1", "localhost"), stdin=b"sbx_kept")
    invoke("languages", "--url", service.url)
    assert service.shown is None


def test_the_first_key_of_a_service_of_ours_does_too(
    service: ScriptedService, invoke: Invoke, home: Path
) -> None:
    file = home / "state" / "instances" / "main" / "first-key"
    database = file.parent / "database"
    database.mkdir(parents=True)
    file.write_text("sbx_first\n")
    address = file.with_name("url")
    address.write_text(f"{service.url}\n")
    invoke("languages", "--url", service.url)
    assert service.shown is None, "ours does not run, so this may be anybody's"
    with locked(database):
        invoke("languages", "--url", service.url)
        assert service.shown == "Bearer sbx_first"
        address.write_text("http://127.0.0.1:9\n")
        invoke("languages", "--url", service.url)
        assert service.shown is None, "ours listens elsewhere"


def test_keys_that_others_may_read_are_not_used(
    service: ScriptedService, invoke: Invoke, home: Path
) -> None:
    invoke("login", "--url", service.url, stdin=b"sbx_kept")
    credentials(home).chmod(0o644)
    done = invoke("languages", "--url", service.url)
    assert "chmod 600" in str(done.exception)


def test_a_damaged_file_says_what_to_do(
    service: ScriptedService, invoke: Invoke, home: Path
) -> None:
    invoke("login", "--url", service.url, stdin=b"sbx_kept")
    credentials(home).write_text("{")
    done = invoke("languages", "--url", service.url)
    assert "is damaged; remove it" in str(done.exception)


def test_who_is_not_known_is_told_what_to_do(
    service: ScriptedService, invoke: Invoke, program: Path
) -> None:
    service.key = "sbx_good"
    done = invoke("run", str(program), "--url", service.url)
    assert done.exit_code == 125
    assert "run `soulbox login`, or set SOULBOX_KEY" in done.output
