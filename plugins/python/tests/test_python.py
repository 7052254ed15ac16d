import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from soulbox_core.testing import registered
from soulbox_python import PYTHON
from soulbox_python.cold import COLD_VARIABLES

PROJECT = Path(__file__).parents[1]


def test_the_entry_point_registers_python() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["soulbox"].items()
    plugin = metadata.EntryPoint(name=name, value=value, group="soulbox").load()
    assert registered(plugin) == (PYTHON,)
    assert project["name"] == "soulbox-python"


def test_the_template_is_stdlib_python_in_the_package() -> None:
    assert PYTHON.template is not None
    assert PYTHON.template.parent == PROJECT / "soulbox_python"
    compile(PYTHON.template.read_text(), PYTHON.template, "exec")


def test_hello_prints_exactly_hello_world(capsys: pytest.CaptureFixture[str]) -> None:
    exec(PYTHON.hello, {})
    assert capsys.readouterr().out == "Hello, World!\n"


def test_what_is_preloaded_is_in_the_image() -> None:
    installed = {requirement.partition(">")[0] for requirement in PYTHON.image.pypi}
    assert set(PYTHON.preloads) <= installed


def test_a_variable_that_the_template_has_fixed_already_starts_cold() -> None:
    fixed = {name for name in PYTHON.env if not name.startswith("MPL")}
    assert fixed <= set(COLD_VARIABLES)
    assert "PYTHONHASHSEED" in COLD_VARIABLES


def test_no_variable_is_listed_twice() -> None:
    assert len(set(COLD_VARIABLES)) == len(COLD_VARIABLES)
