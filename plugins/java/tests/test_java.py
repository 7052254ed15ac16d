import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from soulbox_core import Limits, Source
from soulbox_core.testing import registered
from soulbox_java import JAVA, REQUIREMENT
from soulbox_java.machine import COLD_LIMITS, flags, heap_bytes

PROJECT = Path(__file__).parents[1]
IMAGE = PROJECT / "soulbox_java" / "image"
MIB = 1 << 20


def test_the_entry_point_registers_java() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["soulbox"].items()
    plugin = metadata.EntryPoint(name=name, value=value, group="soulbox").load()
    assert registered(plugin) == (JAVA,)
    assert project["name"] == "soulbox-java"


def test_all_that_the_image_is_made_with_is_in_the_package() -> None:
    assert set(JAVA.image.files.values()) == {path for path in IMAGE.rglob("*") if path.is_file()}


def test_what_is_compiled_and_exercised_ahead_of_time_is_there() -> None:
    assert JAVA.boot is not None
    assert callable(JAVA.boot.argv)
    assert isinstance(JAVA.compiler, tuple)
    sources = [word for word in JAVA.compiler if word.endswith(".java")]
    assert sources
    assert set(sources) <= set(JAVA.image.files)
    names = {Path(path).stem for path in JAVA.image.files if path.endswith(".java")}
    warm = [word for word in JAVA.boot.argv(Source()) if "/warm/" in word]
    assert warm
    assert {Path(word).name for word in warm} <= names


def test_a_parked_and_a_cold_virtual_machine_are_told_the_same() -> None:
    assert JAVA.boot is not None
    assert callable(JAVA.boot.argv)
    assert callable(JAVA.run)
    booted = [word for word in JAVA.boot.argv(Source()) if word.startswith(("-", "@"))]
    cold = [word for word in JAVA.run(Source()) if word.startswith(("-", "@"))]
    assert booted == cold


def test_every_preload_has_a_version_and_is_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text()
    for coordinates in JAVA.preloads:
        group, artifact, version = coordinates.split(":")
        assert f"| {group}:{artifact} | {version} |" in readme


@pytest.mark.parametrize("memory", [64, 96, 128, 256, 1024, 4096])
def test_the_heap_leaves_room_for_the_virtual_machine(memory: int) -> None:
    heap = heap_bytes(memory * MIB)
    assert heap >= 8 * MIB
    assert memory < 96 or memory * MIB - heap >= 80 * MIB
    assert f"-Xmx{heap // MIB}m" in flags(Limits(memory_bytes=memory * MIB))


@pytest.mark.parametrize(("cpus", "processors"), [(0.1, 1), (1.0, 1), (1.5, 2), (4.0, 4)])
def test_there_are_as_many_processors_as_the_quota_has_cores(cpus: float, processors: int) -> None:
    assert f"-XX:ActiveProcessorCount={processors}" in flags(Limits(cpus=cpus))


def test_a_limit_that_changes_the_flags_starts_cold() -> None:
    default = flags(Limits())
    for name, limits in (
        ("memory_bytes", Limits(memory_bytes=512 * MIB)),
        ("cpus", Limits(cpus=2.0)),
    ):
        assert flags(limits) != default
        assert name in COLD_LIMITS
    others = Limits(processes=9, open_files=9, scratch_bytes=MIB, file_size_bytes=MIB)
    assert flags(others) == default


@pytest.mark.parametrize(
    ("requirement", "package"),
    [
        ("org.jsoup:jsoup:1.21.2", "org.jsoup:jsoup"),
        ("org.jsoup:jsoup", "org.jsoup:jsoup"),
        ("com.google.code.gson:gson:[2.10,2.12)", "com.google.code.gson:gson"),
        ("commons-io:commons-io:2.20.0", "commons-io:commons-io"),
    ],
)
def test_a_requirement_names_its_package(requirement: str, package: str) -> None:
    match = re.fullmatch(REQUIREMENT, requirement)
    assert match is not None
    assert match[1] == package


@pytest.mark.parametrize(
    "requirement", ["jsoup", "-jar:x", "/etc:passwd", "a:b:-x", "a:b:c d", "a:b:1:2:3", "a:../b"]
)
def test_what_is_no_coordinates_is_no_requirement(requirement: str) -> None:
    assert re.fullmatch(REQUIREMENT, requirement) is None
