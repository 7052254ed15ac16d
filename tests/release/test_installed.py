"""The wheels in a fresh environment, without a service."""

from importlib import import_module
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release import locks
from soulbox_core.cli import COMMANDS
from soulbox_core.images.catalog import needed_tags
from soulbox_core.testing import registered
from tests.release.checkout import DISTRIBUTIONS, PLUGINS, ROOT
from tests.release.installation import SECONDS, Installation

pytestmark = pytest.mark.timeout(SECONDS)

OURS = {name.replace("_", "-") for name in DISTRIBUTIONS}
LANGUAGES = {"go", "java", "javascript", "python", "rust", "typescript"}


def found_in(packages: Path) -> dict[str, Distribution]:
    found = distributions(path=[str(packages)])
    return {canonicalize_name(each.metadata["Name"]): each for each in found}


def needs(distribution: Distribution, extra: str) -> list[Requirement]:
    asked = map(Requirement, distribution.requires or ())
    return [each for each in asked if not each.marker or each.marker.evaluate({"extra": extra})]


def test_it_has_what_our_wheels_ask_for_and_nothing_else(installed: Installation) -> None:
    found = found_in(installed.packages)
    todo, reached = [(name, "") for name in sorted(OURS)], set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) not in reached:
            reached.add((name, extra))
            for each in needs(found[name], extra):
                assert each.specifier.contains(found[canonicalize_name(each.name)].version)
                todo += [(canonicalize_name(each.name), extra) for extra in ("", *each.extras)]
    assert {name for name, _ in reached} == set(found)


def test_it_has_the_versions_of_the_lock(installed: Installation) -> None:
    found = {name: each.version for name, each in found_in(installed.packages).items()}
    pins = locks.read(ROOT / "locks" / "runtime.txt").values()
    wanted = {pin.name: str(pin.version) for pin in pins if not pin.marker or pin.marker.evaluate()}
    assert found == {**wanted, **dict.fromkeys(OURS, "0.1.0")}


def test_nothing_of_ours_lies_outside_of_our_packages(installed: Installation) -> None:
    for name in DISTRIBUTIONS:
        files = found_in(installed.packages)[name.replace("_", "-")].files or ()
        places = {file.parts[0] for file in files}
        assert places <= {name, f"{name}-0.1.0.dist-info", ".."}, places
        assert [str(file) for file in files if file.parts[0] == ".."] == (
            ["../../../bin/soulbox"] if name == "soulbox_core" else []
        )


def test_pip_finds_nothing_amiss(installed: Installation) -> None:
    said = installed.must(installed.python, "-m", "pip", "check")
    assert said == "No broken requirements found.\n"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_command_says_what_it_is_for(installed: Installation, command: str) -> None:
    words = [command] if command else []
    assert "Usage: soulbox" in installed.must(installed.soulbox, *words, "--help")


def test_every_plugin_is_found(installed: Installation) -> None:
    said = installed.must(installed.soulbox, "languages", "--local", env={"COLUMNS": "9999"})
    head, *rows = said.splitlines()
    assert head.startswith("name ")
    assert {row.split()[0] for row in rows} == LANGUAGES


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_keeps_its_contract(equipped: Installation, plugin: str) -> None:
    code = (
        f"import soulbox_{plugin} as plugin, soulbox_core.testing as kit\n"
        "print(plugin.__file__, kit.__file__, *(each.name for each in kit.registered(plugin)))"
    )
    plugin_file, kit_file, *names = equipped.with_kit("-c", code).split()
    assert Path(plugin_file).is_relative_to(equipped.packages)
    assert Path(kit_file).is_relative_to(equipped.packages)
    assert names
    assert set(names) <= LANGUAGES


def test_languages_want_the_same_images_as_those_of_the_checkout(
    installed: Installation,
) -> None:
    """They are named by all files that go into them: none is missing or another."""
    plugins = [import_module(f"soulbox_{name}") for name in PLUGINS]
    assert all(Path(str(each.__file__)).is_relative_to(ROOT) for each in plugins)
    wanted = needed_tags(language for each in plugins for language in registered(each))
    said = installed.must(installed.python, ROOT / "scripts" / "vm" / "image_names.py")
    assert set(said.split()) == wanted


@pytest.mark.parametrize("plugin", PLUGINS)
def test_its_conformance_tests_are_there_for_the_asking(
    equipped: Installation, plugin: str
) -> None:
    tests = ROOT / "plugins" / plugin / "tests" / "test_conformance.py"
    said = equipped.kit("--collect-only", tests)
    assert "::test_is_listed" in said
    assert "::test_program[hello]" in said
