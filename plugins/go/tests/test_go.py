import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from soulbox_core import Limits, Source
from soulbox_core.testing import registered
from soulbox_go import GO
from soulbox_go.preloads import MODULES

PROJECT = Path(__file__).parents[1]
MIB = 1 << 20


def environment(limits: Limits) -> dict[str, str]:
    assert callable(GO.env)
    return dict(GO.env(Source(limits=limits)))


def test_the_entry_point_registers_go() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["soulbox"].items()
    plugin = metadata.EntryPoint(name=name, value=value, group="soulbox").load()
    assert registered(plugin) == (GO,)
    assert project["name"] == "soulbox-go"


def test_all_that_the_image_is_made_with_is_in_the_package() -> None:
    sources = {path for path in (PROJECT / "soulbox_go" / "image").rglob("*") if path.is_file()}
    compiled = {path for path in sources if path.suffix == ".pyc"}
    assert set(GO.image.files.values()) == sources - compiled


def test_every_preload_has_a_version_and_is_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text()
    for module in MODULES:
        path, _, version = module.partition("@")
        assert f"{path.removesuffix('/...')} {version}" in readme
    assert len(set(MODULES)) == len(MODULES)


def test_the_readme_tells_the_version_of_the_distribution() -> None:
    distribution = GO.image.setup[0][2]
    assert f"Go {distribution.partition('==')[2]}" in (PROJECT / "README.md").read_text()


@pytest.mark.parametrize(("cpus", "threads"), [(0.1, 1), (1.0, 1), (1.5, 2), (2.0, 2)])
def test_the_scheduler_has_as_many_threads_as_the_quota_has_cores(
    cpus: float, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulbox_go._CORES", 8)
    assert environment(Limits(cpus=cpus))["GOMAXPROCS"] == str(threads)


def test_the_scheduler_has_no_more_threads_than_the_host_has_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("soulbox_go._CORES", 2)
    assert environment(Limits(cpus=4.0))["GOMAXPROCS"] == "2"


def test_the_collector_knows_of_the_memory_limit_and_leaves_some() -> None:
    limit = int(environment(Limits(memory_bytes=256 * MIB))["GOMEMLIMIT"])
    assert 0.8 * 256 * MIB < limit < 0.95 * 256 * MIB


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("github.com/google/uuid", "github.com/google/uuid"),
        ("github.com/google/uuid@v1.6.0", "github.com/google/uuid"),
        ("gopkg.in/yaml.v3@latest", "gopkg.in/yaml.v3"),
        ("golang.org/x/exp@v0.0.0-20261113113407-e3970619a1a4", "golang.org/x/exp"),
        ("github.com/stretchr/testify/...@v1", "github.com/stretchr/testify"),
        ("example.com/a~b/c_d@v2.0.0+incompatible", "example.com/a~b/c_d"),
    ],
)
def test_a_requirement_is_a_module_with_or_without_a_version(requirement: str, name: str) -> None:
    assert GO.dependencies is not None
    match = re.fullmatch(GO.dependencies.requirement, requirement)
    assert match is not None
    assert match[1] == name


@pytest.mark.parametrize(
    "requirement",
    [
        "",
        "fmt",
        "-u",
        "./local.d",
        "../up.d",
        "/box/a.b",
        "https://example.com/a",
        "example.com/../up",
        "example.com/a b",
        "example.com/a@none",
        "example.com/a@-v",
        "go@1.27",
        "all",
    ],
)
def test_a_requirement_is_no_option_path_address_or_toolchain(requirement: str) -> None:
    assert GO.dependencies is not None
    assert re.fullmatch(GO.dependencies.requirement, requirement) is None
