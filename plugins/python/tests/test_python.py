import re
import tomllib
from collections.abc import Mapping
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
    called = {"PIL": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn", "yaml": "pyyaml"}
    modules = {name.partition(".")[0] for name in PYTHON.preloads}
    installed = {re.split("[>=]", requirement)[0] for requirement in PYTHON.image.pypi}
    assert {called.get(module, module) for module in modules} <= installed


def test_a_variable_that_the_template_has_fixed_already_starts_cold() -> None:
    assert isinstance(PYTHON.env, Mapping)
    assert set(PYTHON.env) <= set(COLD_VARIABLES)
    assert "PYTHONHASHSEED" in COLD_VARIABLES


@pytest.mark.parametrize(
    "requirement",
    [
        "polars",
        "polars==1.*",
        "ruamel-yaml >= 0.18, <1",
        "Django~=5.2",
        "pandas[excel, aws]==3.0",
        "typing-extensions===4.16.0",
    ],
)
def test_a_requirement_is_a_name_and_versions(requirement: str) -> None:
    assert PYTHON.dependencies is not None
    match = re.fullmatch(PYTHON.dependencies.requirement, requirement)
    assert match is not None
    assert match[1] == re.split(r"[\[ =~]", requirement)[0]


@pytest.mark.parametrize(
    "requirement",
    [
        "",
        "-r requirements.txt",
        "--index-url=elsewhere",
        "./polars",
        "/box/polars.whl",
        "polars @ https://example.org/polars.whl",
        "git+https://example.org/polars",
        "polars; python_version > '3'",
        "polars==1\npandas",
        "polars pandas",
        # One package has one name, or a list that denies it could be got around.
        "typing_extensions",
        "ruamel.yaml",
        "ruamel--yaml",
    ],
)
def test_a_requirement_is_no_option_address_or_second_spelling(requirement: str) -> None:
    assert PYTHON.dependencies is not None
    assert re.fullmatch(PYTHON.dependencies.requirement, requirement) is None


def test_no_variable_is_listed_twice() -> None:
    assert len(set(COLD_VARIABLES)) == len(COLD_VARIABLES)
