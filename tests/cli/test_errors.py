"""What the command line does with what it cannot do: one line, no traceback, a telling code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def soulbox(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "soulbox_core", *args),
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("serve", "--set", "nonsense=1"), "nonsense"),
        (("serve", "--set", "pool.parked=many"), "pool.parked"),
        (("serve", "--port", "99999"), "server.port"),
        (("serve", "--config", "/no/such/file.toml"), "/no/such/file.toml"),
        (("check", "--set", "pool"), "key=value"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_with_exit_code_2(
    args: tuple[str, ...], said: str
) -> None:
    done = soulbox(*args)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("soulbox: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_environment_variable_is_named() -> None:
    done = soulbox("check", SOULBOX_POOL__NONSENSE="1")
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_variables_of_the_command_line_itself_are_no_settings(tmp_path: Path) -> None:
    config = tmp_path / "soulbox.toml"
    config.write_text("[languages.python]\nenabled = false\n")
    done = soulbox(
        "languages", "--local", SOULBOX_CONFIG=str(config), SOULBOX_URL="http://127.0.0.1:1"
    )
    assert done.returncode == 0, done.stderr
    assert "python" not in done.stdout


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "soulbox.toml"
    config.write_text("[languages.python]\nenabled = false\n")
    flags = ("--config", str(config), "--set", "languages.python.enabled=true")
    assert "python" in soulbox("languages", "--local", *flags).stdout


def test_an_unknown_language_to_build_is_named(tmp_path: Path) -> None:
    done = soulbox("images", "build", "klingon", "--state-dir", str(tmp_path))
    assert done.returncode == 1
    assert "no language 'klingon'" in done.stderr


def test_every_command_has_help() -> None:
    done = soulbox("--help")
    assert done.returncode == 0
    for command in ("serve", "run", "check", "images", "languages"):
        assert command in done.stdout
        assert soulbox(command, "--help").returncode == 0


def test_running_a_file_does_not_import_the_server() -> None:
    probe = "import sys; from soulbox_core.cli import application; application(['run']);"
    probe += "print(sorted({'starlette', 'hypercorn', 'podman', 'uvloop'} & set(sys.modules)))"
    done = subprocess.run(
        (sys.executable, "-c", probe), capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr
