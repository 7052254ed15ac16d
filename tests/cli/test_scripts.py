"""The shell around the command line: what reaches the service and what does not."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent.parent / "scripts"


def environment(argument: str, **given: str) -> dict[str, str]:
    """The whole environment that the scripts give to what runs as the service."""
    script = (
        f'source {SCRIPTS}/lib/setup.sh; environment {argument}; printf "%s\\0" "${{clean_env[@]}}"'
    )
    done = subprocess.run(
        ("bash", "-c", script),
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", **given},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


SECRETS = {"AWS_SECRET_ACCESS_KEY": "1", "LD_PRELOAD_X": "1", "PYTHONPATH": "/x", "MY_PIP_X": "1"}
REGISTRIES = {
    "PIP_INDEX_URL": "https://user:secret@index.example/simple",
    "https_proxy": "http://proxy.example",
    "NO_PROXY": "localhost",
    "SSL_CERT_FILE": "/ca.pem",
    "REQUESTS_CA_BUNDLE": "/ca.pem",
}


@pytest.mark.parametrize("argument", ["", "registries"])
def test_secrets_of_whoever_starts_the_service_stay_with_him(argument: str) -> None:
    assert not SECRETS.keys() & environment(argument, **SECRETS)


def test_registries_credentials_reach_builds_but_never_the_service() -> None:
    assert environment("registries", **REGISTRIES).items() >= REGISTRIES.items()
    assert not REGISTRIES.keys() & environment("", **REGISTRIES)


def test_settings_reach_the_service_even_with_spaces_and_quotes() -> None:
    value = '["a b", "c\'d"]'
    given = environment("", SOULBOX_PLUGINS__BLOCKED=value, SOULBOX_STATE_DIR="/some state")
    assert given["SOULBOX_PLUGINS__BLOCKED"] == value
    assert given["SOULBOX_STATE_DIR"] == "/some state"


def test_a_failed_step_shows_its_output_and_the_fix() -> None:
    failing = """step "making tea" "boil water" sh -c "echo no water; exit 3" """
    script = f"source {SCRIPTS}/lib/setup.sh; {failing}"
    done = subprocess.run(("bash", "-c", script), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "✗ making tea" in done.stderr
    assert "| no water" in done.stderr
    assert "fix: boil water" in done.stderr


def test_only_files_that_are_there_and_not_ignored_are_copied_for_the_tests(tmp_path: Path) -> None:
    for name in ("kept.py", "deleted.py", "with space.py", "ignored.log", ".gitignore"):
        (tmp_path / name).write_text("*.log\n")
    git = ("git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example")
    subprocess.run((*git, "init", "-q"), check=True)
    subprocess.run((*git, "add", "kept.py", "deleted.py"), check=True)
    (tmp_path / "deleted.py").unlink()
    script = f"source {SCRIPTS}/lib/setup.sh; source_files {tmp_path}"
    done = subprocess.run(("bash", "-c", script), capture_output=True, text=True, check=True)
    assert sorted(filter(None, done.stdout.split("\0"))) == [
        ".gitignore",
        "kept.py",
        "with space.py",
    ]


def test_a_tool_that_is_unpacked_finds_its_libraries_and_has_its_arguments(tmp_path: Path) -> None:
    root, program = tmp_path / "root", tmp_path / "a program"
    for file, text in (
        ("usr/sbin/brew", '#!/bin/sh\ncat "$LD_LIBRARY_PATH/libtea.so.1"; printf "<%s>" "$@"\n'),
        ("usr/lib/any/libtea.so.1", "tea"),
        ("usr/share/doc/brew", "not kept"),
    ):
        (root / file).parent.mkdir(parents=True)
        (root / file).write_text(text)
    script = f"source {SCRIPTS}/lib/setup.sh; program=$1; keep_tool {root} brew /usr/sbin/brew"
    subprocess.run(("bash", "-c", script, "bash", program), check=True)
    told = subprocess.run((program / "tools" / "brew", "a b", "*"), capture_output=True, check=True)
    assert told.stdout == b"tea<a b><*>"
    kept = {path.name for path in program.rglob("*") if path.is_file()}
    assert kept == {"brew", "run", "libtea.so.1"}


def releases(program: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run what scripts/install does with releases, in a directory of the test's."""
    lines = f"source {SCRIPTS}/lib/setup.sh; program={program}; {script}"
    return subprocess.run(("bash", "-c", lines), capture_output=True, text=True, check=False)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Where two releases are installed."""
    for name in ("old", "new"):
        (tmp_path / "releases" / name).mkdir(parents=True)
    return tmp_path


TAKE = 'release=$program/releases/new; take_release; echo "$before"; '


def test_a_release_takes_the_place_of_the_one_before_and_can_give_it_back(program: Path) -> None:
    venv = program / "venv"
    venv.symlink_to(program / "releases" / "old")
    assert releases(program, TAKE).stdout.strip() == str(program / "releases" / "old")
    assert venv.readlink() == program / "releases" / "new"
    venv.unlink()
    venv.symlink_to(program / "releases" / "old")
    assert releases(program, f"{TAKE} give_back_release").returncode == 0
    assert venv.readlink() == program / "releases" / "old"


def test_what_scripts_serve_had_installed_is_given_back_too(program: Path) -> None:
    venv = program / "venv"
    venv.mkdir()
    (venv / "of-serve").touch()
    assert releases(program, f"{TAKE} give_back_release").returncode == 0
    assert (venv / "of-serve").exists()
    assert releases(program, f"{TAKE} forget_other_releases").returncode == 0
    assert venv.readlink() == program / "releases" / "new"
    assert sorted(path.name for path in program.iterdir()) == ["releases", "venv"]
    assert [path.name for path in (program / "releases").iterdir()] == ["new"]


@pytest.mark.parametrize("before", [None, "new"])
def test_without_another_one_before_there_is_nothing_to_give_back(
    program: Path, before: str | None
) -> None:
    if before:
        (program / "venv").symlink_to(program / "releases" / before)
    assert releases(program, f"{TAKE} give_back_release").returncode == 1
    assert (program / "venv").readlink() == program / "releases" / "new"


@pytest.mark.parametrize("script", ["install", "uninstall"])
def test_where_systemd_does_not_run_a_script_says_so_and_changes_nothing(
    script: str, tmp_path: Path
) -> None:
    if Path("/run/systemd/system").exists():
        command = f"{SCRIPTS}/uninstall --purgatory"  # this host has it: another refusal
        said = "--purgatory: not known"
    else:
        command = f"{SCRIPTS}/{script}"
        said = "systemd does not run here"
    done = subprocess.run(
        command.split(),
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
