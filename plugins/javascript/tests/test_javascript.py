import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from soulbox_core import Language, Limits, Source
from soulbox_core.testing import registered
from soulbox_javascript import JAVASCRIPT, TYPESCRIPT
from soulbox_javascript.check import check
from soulbox_javascript.cold import COLD_VARIABLES
from soulbox_javascript.image import IN_IMAGE, PRELOADS

PROJECT = Path(__file__).parents[1]
LANGUAGES = (JAVASCRIPT, TYPESCRIPT)


def test_the_entry_point_registers_both_languages() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["soulbox"].items()
    plugin = metadata.EntryPoint(name=name, value=value, group="soulbox").load()
    assert registered(plugin) == LANGUAGES
    assert project["name"] == "soulbox-javascript"


def test_both_languages_have_the_same_image_so_that_it_is_built_once() -> None:
    assert JAVASCRIPT.image == TYPESCRIPT.image
    assert JAVASCRIPT.preloads == TYPESCRIPT.preloads


def test_whatever_comes_from_npm_has_an_exact_version() -> None:
    install = next(argv for argv in JAVASCRIPT.image.setup if f"{IN_IMAGE}/setup.cjs" in argv)
    tools = install[2 : install.index("--")]
    assert len(tools) >= 2
    for package in (*tools, *PRELOADS):
        assert re.fullmatch(r"(@[\w-]+/)?[\w.-]+@\d+\.\d+\.\d+", package)


def test_the_image_gets_every_file_that_the_command_lines_name() -> None:
    files = JAVASCRIPT.image.files
    assert all(path.is_file() for path in files.values())
    compile_step = check(Source(options={"check": "true"}))
    assert compile_step is not None
    assert JAVASCRIPT.boot is not None
    words = [
        *(word for argv in JAVASCRIPT.image.setup for word in argv),
        *compile_step.argv,
        *command(JAVASCRIPT.run),
        *command(JAVASCRIPT.boot.argv),
    ]
    made = f"{IN_IMAGE}/snapshot.blob"
    named = {word for word in words if word.startswith(f"{IN_IMAGE}/") and word != made}
    assert named
    assert named <= set(files)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_a_cold_program_and_a_parked_runtime_get_the_same_options(language: Language) -> None:
    assert language.boot is not None
    cold, parked = command(language.run), command(language.boot.argv)
    assert fitted(cold) == fitted(parked)
    types = "--experimental-transform-types"
    assert (types in cold) == (types in parked) == (language is TYPESCRIPT)


def test_the_heap_follows_the_memory_limit_and_the_workers_the_cores() -> None:
    usual = fitted(command(JAVASCRIPT.run))
    assert "--max-old-space-size=256" in usual
    assert "--v8-pool-size=1" in usual
    ample = fitted(command(JAVASCRIPT.run, Limits(memory_bytes=4 << 30, cpus=64)))
    assert "--max-old-space-size=4096" in ample
    assert "--max-semi-space-size=16" in ample
    assert "--v8-pool-size=4" in ample
    least = fitted(command(JAVASCRIPT.run, Limits(memory_bytes=16 << 20, cpus=0.01)))
    assert "--max-semi-space-size=1" in least
    assert "--v8-pool-size=1" in least


def test_types_are_checked_only_when_it_is_asked_for() -> None:
    assert check(Source(options={"check": "false"})) is None
    assert check(Source()) is None
    assert check(Source(options={"check": "true"})) is not None


def test_no_variable_is_listed_twice() -> None:
    assert len(set(COLD_VARIABLES)) == len(COLD_VARIABLES)
    assert "NODE_OPTIONS" in COLD_VARIABLES


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("left-pad", "left-pad"),
        ("left-pad@1.3.0", "left-pad"),
        ("lodash.get@^4.4 || 5.x", "lodash.get"),
        ("@scope/some_thing@>=1.0.0-rc.1 <2", "@scope/some_thing"),
        ("typescript@latest", "typescript"),
        ("JSONStream@*", "JSONStream"),
    ],
)
def test_a_requirement_names_a_package(requirement: str, name: str) -> None:
    assert JAVASCRIPT.dependencies is not None
    found = re.fullmatch(JAVASCRIPT.dependencies.requirement, requirement)
    assert found is not None
    assert found[1] == name


@pytest.mark.parametrize(
    "requirement",
    [
        "",
        "--global",
        "-g",
        ".",
        "./here",
        "../up",
        "/etc",
        "~/home",
        "user/repository",
        "github:user/repository",
        "git+ssh://example.org/x",
        "file:here",
        "https://example.org/x.tgz",
        "alias@npm:other@1",
        "left-pad@file:..",
        "left-pad@https://example.org/x.tgz",
        "left-pad@../up",
        "@scope",
        "@scope/",
        "two words",
        "left-pad@1\n--global",
    ],
)
def test_a_requirement_is_no_option_no_path_and_no_address(requirement: str) -> None:
    assert JAVASCRIPT.dependencies is not None
    assert not re.fullmatch(JAVASCRIPT.dependencies.requirement, requirement)


def command(given: object, limits: Limits | None = None) -> tuple[str, ...]:
    assert callable(given)
    words = given(Source(limits=limits or Limits()))
    assert isinstance(words, tuple)
    return words


def fitted(words: tuple[str, ...]) -> set[str]:
    return {word for word in words if re.fullmatch(r"--[a-z0-9-]+=\d+", word)}
