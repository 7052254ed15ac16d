"""soulbox new-plugin: what it writes is a plugin, and whatever was there stays."""

import importlib
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import Result

from soulbox_core.cli.new_plugin import Kind
from soulbox_core.hookspecs import PROJECT
from soulbox_core.language import NAME
from soulbox_core.testing import registered
from tests.cli.conftest import Invoke

RULES = "E,F,W,I,UP,B,SIM,C4,RET,PT,PIE,PLE,PLW,RUF"
every_kind = pytest.mark.parametrize("kind", Kind)


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def written(invoke: Invoke, directory: Path, name: str, *options: str) -> Path:
    done = invoke("new-plugin", name, "--directory", str(directory), *options)
    assert done.exit_code == 0, done.output
    return directory


def project(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((directory / "pyproject.toml").read_text())["project"]
    return found


def said(done: Result) -> str:
    """The error, out of its box."""
    return " ".join(done.stderr.replace("│", " ").split())


def imported(directory: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(directory)
    return importlib.import_module(name)


@every_kind
def test_the_package_registers_its_language(
    kind: Kind, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = written(invoke, tmp_path / "new", f"fresh-{kind}", "--kind", kind)
    (language,) = registered(imported(directory, f"soulbox_fresh_{kind}", monkeypatch))
    assert language.name == f"fresh-{kind}"
    assert (language.compile is not None) == (kind is Kind.COMPILE)
    assert (language.boot is not None) == (kind is Kind.BOOT)


@every_kind
def test_the_package_passes_ruff_and_strict_mypy(
    kind: Kind, invoke: Invoke, tmp_path: Path, mypy_cache: Path
) -> None:
    directory = written(invoke, tmp_path / "new", "lua", "--kind", kind)
    ruff = (sys.executable, "-m", "ruff")
    style = ("--isolated", "--no-cache", "--line-length", "100")
    for command in (
        (*ruff, "check", *style, "--select", RULES, "."),
        (*ruff, "format", *style, "--check", "."),
        (sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(mypy_cache), "."),
    ):
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_project_names_the_plugin_and_the_core_it_was_written_for(
    invoke: Invoke, tmp_path: Path
) -> None:
    found = project(written(invoke, tmp_path / "new", "lua"))
    major, minor = metadata.version("soulbox-core").split(".")[:2]
    assert found["name"] == "soulbox-lua"
    assert found["entry-points"] == {PROJECT: {"lua": "soulbox_lua"}}
    assert found["dependencies"][0].startswith(f"soulbox-core>={major}.{minor},<")


def test_without_a_directory_it_makes_one_by_the_plugins_name_and_says_what_is_next(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("new-plugin", "lua")
    assert done.exit_code == 0, done.output
    assert {path.name for path in Path("soulbox-lua").iterdir()} == {
        "README.md",
        "pyproject.toml",
        "soulbox_lua",
        "tests",
    }
    for word in ("pip install -e soulbox-lua", "images build lua", "/v1/run/lua", "SOULBOX_URL="):
        assert word in done.stdout


@pytest.mark.parametrize("there", ["pyproject.toml", "soulbox_lua/__init__.py", "mine.txt"])
def test_what_is_there_is_not_overwritten(there: str, invoke: Invoke, tmp_path: Path) -> None:
    mine = tmp_path / there
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    done = invoke("new-plugin", "lua", "--directory", str(tmp_path))
    assert done.exit_code == 2
    assert "is not empty" in said(done)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_a_directory_that_is_a_file_is_told(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = invoke("new-plugin", "lua", "--directory", str(tmp_path / "file"))
    assert done.exit_code == 2
    assert "file exists" in said(done)


def test_an_empty_directory_is_as_good_as_none(invoke: Invoke, tmp_path: Path) -> None:
    assert (written(invoke, tmp_path, "lua") / "pyproject.toml").exists()


@pytest.mark.parametrize("name", ["Lua", "c#", "1st", "", "-x", "a b", "ü", "a" * 33, "a/b", "a.b"])
def test_a_name_that_no_language_may_have_is_refused_with_the_rule(
    name: str, invoke: Invoke, tmp_path: Path
) -> None:
    done = invoke("new-plugin", "--directory", str(tmp_path / "new"), "--", name)
    assert done.exit_code == 2
    assert "a lower-case letter, then up to 31 of a-z 0-9 + _ -" in said(done)
    assert not (tmp_path / "new").exists()


def test_the_name_of_an_installed_plugin_is_refused(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("new-plugin", "python", "--directory", str(tmp_path / "new"))
    assert done.exit_code == 2
    assert "a plugin of that name is installed" in said(done)


@pytest.mark.parametrize(
    ("name", "distribution", "package"),
    [
        ("c++", "soulbox-cpp", "soulbox_cpp"),
        ("a", "soulbox-a", "soulbox_a"),
        ("objective-c", "soulbox-objective-c", "soulbox_objective_c"),
        ("a_b-", "soulbox-a-b", "soulbox_a_b"),
        ("a" * 32, f"soulbox-{'a' * 32}", f"soulbox_{'a' * 32}"),
    ],
)
def test_an_odd_name_makes_a_package_of_a_name_that_pypi_takes(
    name: str,
    distribution: str,
    package: str,
    invoke: Invoke,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert NAME.fullmatch(name)
    directory = written(invoke, tmp_path / "new", name)
    assert project(directory)["name"] == distribution
    assert list(project(directory)["entry-points"][PROJECT].values()) == [package]
    (language,) = registered(imported(directory, package, monkeypatch))
    assert language.name == name
    compile((directory / "tests/test_conformance.py").read_text(), "test", "exec")


# The boot program, without a cell around it.


def booted(program: Path, source: str, directory: Path, *args: str, **env: str) -> Any:
    """Start it, wait until it is ready, and only then put the source there and give it the step."""
    step = {
        "argv": (sys.executable, "main.x", *args),
        "entrypoint": "main.x",
        "args": args,
        "env": {**os.environ, **env},
        "live": False,
        "artifact": None,
        "dependencies": None,
    }
    (step_reader, step_writer), (ready_reader, ready_writer) = os.pipe(), os.pipe()
    # A shell can place descriptors as a parked cell has them.
    place = f'exec "$0" "$1" json 3<&{step_reader} 4>&{ready_writer}'
    with (
        subprocess.Popen(
            ("bash", "-c", place, sys.executable, program),
            cwd=directory,
            pass_fds=(step_reader, ready_writer),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        os.fdopen(step_writer, "w") as giving,
        os.fdopen(ready_reader, "rb") as hearing,
    ):
        os.close(step_reader)
        os.close(ready_writer)
        assert hearing.read(1)
        (directory / "main.x").write_text(source)
        json.dump(step, giving)
        giving.close()
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def cold(source: str, directory: Path, *args: str, **env: str) -> Any:
    (directory / "main.x").write_text(source)
    done = subprocess.run(
        (sys.executable, "main.x", *args),
        cwd=directory,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "import sys, os; print(sys.argv, os.environ['GREETING'], __name__, __file__, sys.path[0])",
        "def f():\n    raise KeyError('x')\nf()",
        "import atexit; atexit.register(print, 'bye'); 1 / 0",
        "raise SystemExit('gone')",
        "raise SystemExit(3)",
        "x = (",
        "import json; print(json.dumps([1]), [name for name in vars() if name[:1] != '_'])",
        "import os; os.kill(os.getpid(), 9)",
    ],
)
def test_the_boot_program_runs_a_program_as_the_command_line_does(
    source: str, invoke: Invoke, tmp_path: Path
) -> None:
    directory = written(invoke, tmp_path / "new", "lua", "--kind", "boot")
    program = directory / "soulbox_lua/image/boot.py"
    given = ("one", "two words")
    box = tmp_path / "box"
    box.mkdir()
    parked = booted(program, source, box, *given, GREETING="hello")
    assert parked == cold(source, box, *given, GREETING="hello")
